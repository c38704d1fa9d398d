"""When assets materialize by themselves: named conditions, each with its why."""

import dagster as dg

# `eager()` alone fires whenever an upstream materializes, even if nothing changed. A data version that is a content
# digest tells the two apart, so a re-collected but unchanged corpus stops at the first asset.
WHEN_CONTENT_CHANGED = (
    dg.AutomationCondition.eager()
    .replace("newly_updated", dg.AutomationCondition.data_version_changed())
    .with_label("when upstream content changed")
)

# A blocking check stops only its own run. Across runs the condition has to look at the verdict itself.
WHEN_CONTENT_CHANGED_AND_CHECKED = (
    WHEN_CONTENT_CHANGED & dg.AutomationCondition.all_deps_blocking_checks_passed()
).with_label("when upstream content changed and its blocking checks passed")
