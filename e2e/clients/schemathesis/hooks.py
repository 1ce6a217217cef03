"""Keeps the calls from ending the token that they are made with."""
import os

import schemathesis

# The client that has the token, and what gives it its scope.
KEPT = {os.environ["MACHINE"], "management-api", "management-api-all"}


@schemathesis.hook
def before_call(context, case, kwargs):
    for name, value in (case.path_parameters or {}).items():
        if value in KEPT:
            case.path_parameters[name] = "another"
