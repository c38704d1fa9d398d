"""How old a platform's last collection may be before the asset page says so."""

from collections.abc import Collection as Members
from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

# Collection is daily by default: one missed day is a laptop that was off, three are a twin that no longer learns.
WARN = timedelta(days=2)
FAIL = timedelta(days=4)


def with_freshness(assets: Sequence[dg.AssetsDefinition], platforms: Members[str]) -> list[dg.AssetsDefinition]:
    """The raw assets, with a freshness policy for those platforms; one that nobody uses is never stale."""
    policy = dg.FreshnessPolicy.time_window(fail_window=FAIL, warn_window=WARN)
    return [
        asset.map_asset_specs(
            lambda spec: spec.replace_attributes(freshness_policy=policy) if spec.key.path[-1] in platforms else spec
        )
        for asset in assets
    ]
