"""From what a twin gave to what goes over the wire."""

from bentos.schemas import AnswerResponse, ChunkOut, CitationOut, ReleaseOut, SearchResponse, Usage
from llm_twin_assets.domain.release import Release
from llm_twin_assets.features.retrieve import Retrieved
from llm_twin_assets.inference.answer import Answer
from llm_twin_assets.inference.citations import Citation


def citation_out(citation: Citation) -> CitationOut:
    """A citation; its score is rounded, for it is a comparison and no measurement."""
    return CitationOut(
        marker=citation.marker,
        document_id=citation.document_id,
        url=citation.url,
        title=citation.title,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        score=round(citation.score, 4),
    )


def answer_out(answer: Answer, release: Release) -> AnswerResponse:
    """An answer and the release that gave it."""
    return AnswerResponse(
        answer_id=answer.answer_id,
        answer=answer.text,
        citations=tuple(citation_out(each) for each in answer.citations),
        author=release.author,
        release=release.release_id,
        model_version=release.model_version,
        snapshot=release.snapshot,
        outcome=answer.outcome.value,
        degraded=answer.degraded,
        reason=answer.reason,
        support=round(answer.support, 3),
        usage=Usage(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens),
        trace_id=answer.trace_id,
        trace_url=answer.trace_url,
    )


def search_out(found: Retrieved, release: Release) -> SearchResponse:
    """Chunks and the release whose snapshot they are from."""
    return SearchResponse(
        chunks=tuple(
            ChunkOut(
                chunk_id=each.chunk_id,
                document_id=each.document_id,
                category=each.category,
                platform=each.platform,
                url=each.url,
                title=each.title,
                context=each.context,
                start=each.start,
                end=each.end,
                text=each.text,
                score=round(each.score, 4),
            )
            for each in found.chunks
        ),
        author=release.author,
        release=release.release_id,
        snapshot=release.snapshot,
        degraded=bool(found.lacking),
        lacking=found.lacking,
    )


def release_out(release: Release) -> ReleaseOut:
    """A release: no path of this machine, no digest that means nothing to a caller."""
    return ReleaseOut(
        release=release.release_id,
        author=release.author,
        author_name=release.author_name,
        sequence=release.sequence,
        model_name=release.model_name,
        model_version=release.model_version,
        base=release.base,
        dataset=release.dataset,
        snapshot=release.snapshot,
        embedder=release.embedder,
        approver=release.approver,
        reason=release.reason,
        verdict=release.verdict,
        override=release.override,
        released_at=release.released_at,
    )
