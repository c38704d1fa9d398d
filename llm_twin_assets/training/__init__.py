"""From a dataset to a registered candidate: plan, child process, registry round trip."""
