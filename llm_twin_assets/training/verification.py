"""Is the model in the registry the one that was trained? Its files by digest, its answers by logits."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.inference.peft_import import import_with_quantizer, import_without_quantizer
from llm_twin_assets.training import probes
from llm_twin_assets.training.errors import VerificationError
from llm_twin_assets.training.methods import quantization
from resources.folder_digest import folder_digest
from resources.registry import RegisteredModel, Registry

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found: the largest difference of a logit, in standard deviations, and what would have been too much."""

    deviation: float
    tolerance: float


def verify(
    registry: Registry, author: str, model: RegisteredModel, expected: Path, base: Path, author_name: str, scratch: Path
) -> Verification:
    """Reload a version from the registry and compare it with the probes of its training.

    Raises `VerificationError` if a file or an answer differs; then nothing may point to this version.
    """
    folder = registry.download(author, model.version, scratch)
    check_digest(folder, model)
    return check_answers(folder, base, author_name, probes.Probes.load(expected))


def check_digest(folder: Path, model: RegisteredModel) -> None:
    """Compare the files of a downloaded version with what was registered."""
    found = folder_digest(folder)
    if found != model.digest:
        raise VerificationError(
            f"the registry's copy has the digest {found[:12]} but {model.digest[:12]} was registered",
            where=f"{model.name} version {model.version}",
            mend="Its artifacts were changed or damaged: train again, and see who writes to the artifact store.",
        )


def check_answers(folder: Path, base: Path, author_name: str, expected: probes.Probes) -> Verification:
    """Compare the answers of a model folder with what the trained model answered."""
    from safetensors import SafetensorError
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        found = probes.take(load_model(folder, base, quantized=expected.quantized), tokenizer, author_name)
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        SafetensorError,
    ) as error:  # missing, damaged or misshapen files
        raise VerificationError(
            f"the registry's copy cannot be loaded: {str(error).splitlines()[0]}", where=str(folder)
        ) from error
    deviation = expected.deviation(found)
    if not deviation <= expected.tolerance:  # so that NaN fails, too
        raise VerificationError(
            f"the registry's copy answers differently from the trained model: logits are off by {deviation:.3g} "
            f"standard deviations, {expected.tolerance:.3g} are allowed",
            where=str(folder),
            mend="Train again; if it happens again, the base's files may have changed meanwhile.",
        )
    return Verification(deviation, expected.tolerance)


def load_model(folder: Path, base: Path, *, quantized: bool = False) -> "PreTrainedModel":
    """A model folder in float32, an adapter on its base (in 4 bits as it was trained, if so said); on a GPU if any."""
    import torch
    from transformers import AutoModelForCausalLM

    is_adapter = (folder / "adapter_config.json").is_file()
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        base if is_adapter else folder,
        dtype=torch.float32,
        quantization_config=quantization("float32") if quantized else None,
        use_safetensors=True,
        local_files_only=True,
    )
    if is_adapter:
        import_with_quantizer() if quantized else import_without_quantizer()
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, folder)
    return model.to("cuda") if torch.cuda.is_available() else model
