"""What a run imports in the course of its work: half of the processor time of a run over ten notes."""

import importlib

from llm_twin_assets.inference.peft_import import import_without_quantizer

import_without_quantizer()  # before peft, as where it is used
for _name in (
    "llm_twin_assets.commands.run",
    "lancedb",
    "matplotlib.pyplot",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "peft",
    "scipy.stats",
    "transformers.models.bert.modeling_bert",
    "transformers.models.llama.modeling_llama",
):
    importlib.import_module(_name)
