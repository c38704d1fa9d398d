"""When assets materialize by themselves: named conditions, each with its why."""

import dagster as dg

# `eager()` alone fires whenever an upstream materializes, even if nothing changed. A data version that is a content
# digest tells the two apart, so a re-collected but unchanged corpus stops at the first asset.
WHEN_CONTENT_CHANGED = (
    dg.AutomationCondition.eager()
    .replace("newly_updated", dg.AutomationCondition.data_version_changed())
    .with_label("when upstream content changed")
)

# Of ten platforms an author uses a few. `eager()` would wait for every one of them to have been collected once: for
# ever, where a platform came with an update of this project.
WHEN_COLLECTED_CONTENT_CHANGED = (
    dg.AutomationCondition.eager()
    .without(~dg.AutomationCondition.any_deps_missing())
    .replace("newly_updated", dg.AutomationCondition.data_version_changed())
    .with_label("when collected content changed")
)

# A blocking check stops only its own run. Across runs the condition has to look at the verdict itself.
WHEN_CONTENT_CHANGED_AND_CHECKED = (
    WHEN_CONTENT_CHANGED & dg.AutomationCondition.all_deps_blocking_checks_passed()
).with_label("when upstream content changed and its blocking checks passed")

# Feedback is no more than an addition: who has never had any must not wait for the first.
_FEEDBACK = dg.AssetSelection.assets("monitoring/feedback")
WHEN_CONTENT_OR_FEEDBACK_CHANGED_AND_CHECKED = (
    WHEN_CONTENT_CHANGED.replace("any_deps_missing", dg.AutomationCondition.any_deps_missing().ignore(_FEEDBACK))
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
).with_label("when upstream content or feedback changed and blocking checks passed")

# `eager()` forgets what comes between a request and the next tick: an approval that followed a deployment within
# seconds was lost until the next change (seen on Dagster 1.13.27). A yes that is new in that very tick is not handled.
_NEW_APPROVAL = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed()).allow(
    dg.AssetSelection.assets("release/approved_model")
)
_HANDLED = (
    dg.AutomationCondition.newly_requested()
    | dg.AutomationCondition.data_version_changed()
    | dg.AutomationCondition.initial_evaluation()
)
WHEN_APPROVED_OR_CONTENT_CHANGED = (
    WHEN_CONTENT_CHANGED.replace("handled", _HANDLED & ~_NEW_APPROVAL)
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
).with_label("when a model was approved, or upstream content changed and its blocking checks passed")
