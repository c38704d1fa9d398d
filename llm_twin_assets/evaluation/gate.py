"""The gate: may this candidate be offered to a person for approval?"""

from collections.abc import Sequence
from datetime import datetime

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Interval, Verdict
from llm_twin_assets.evaluation.statistics import DocumentScore, bits_per_byte, paired_difference
from resources.settings import Evaluation


def verdict(
    candidate: Sequence[DocumentScore],
    reference: Sequence[DocumentScore],
    settings: Evaluation,
    *,
    author: str,
    model_version: str,
    model_digest: str,
    reference_name: str,
    dataset: str,
    now: datetime,
) -> Verdict:
    """The candidate passes if the whole interval of the difference lies below `-min_improvement`."""
    difference = paired_difference(candidate, reference, settings)
    passed, reason = _decide(difference, len(candidate), reference_name, settings)
    return Verdict(
        author=author,
        model_version=model_version,
        model_digest=model_digest,
        reference=reference_name,
        dataset=dataset,
        documents=len(candidate),
        candidate_bits_per_byte=bits_per_byte(candidate),
        reference_bits_per_byte=bits_per_byte(reference),
        difference=difference,
        passed=passed,
        reason=reason,
        config_digest=digest(settings.model_dump(mode="json")),
        evaluated_at=now,
    )


def _decide(difference: Interval, documents: int, reference: str, settings: Evaluation) -> tuple[bool, str]:
    if documents < settings.min_documents:
        return False, f"{documents} sealed documents are too few; the gate asks for {settings.min_documents}"
    share = f"{settings.confidence:.0%} interval of the difference in bits per byte"
    interval = f"[{difference.low:+.3f}, {difference.high:+.3f}]"
    bound = f"{-settings.min_improvement:+.3f}" if settings.min_improvement else "zero"
    if difference.high < -settings.min_improvement:
        return True, f"better than {reference}: {share} {interval} lies below {bound}"
    return False, f"not shown to be better than {reference}: {share} {interval}"
