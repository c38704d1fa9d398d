import socket

import pytest

from bentos.listening import check_address
from resources.errors import ConfigurationError


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])  # noqa: S104
def test_where_others_can_reach_it_the_service_does_not_start_without_keys(family: socket.AddressFamily, address: str):
    with socket.create_server((address, 0), family=family):
        with pytest.raises(ConfigurationError, match="there are no API keys"):
            check_address(keys_needed=False)
        check_address(keys_needed=True)


def test_at_this_machines_own_address_it_starts():
    with socket.create_server(("127.0.0.1", 0)):
        check_address(keys_needed=False)
