"""The table of routes, and the checks before it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.mailchimp import members, problems, webhooks
from sandbox.mailchimp.answers import Answer, Refused, ok
from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.hooks import Hooks
from sandbox.mailchimp.request import Request


@dataclass
class Api:
    """The state that the routes use."""

    key: str
    audience: Audience
    hooks: Hooks = field(default_factory=Hooks)
    takes_key: bool = True
    has_list: bool = True

    def answer(self, request: Request) -> Answer:
        """Mailchimp's answer to a request."""
        try:
            if request.key() != self.key or not self.takes_key:
                raise Refused(problems.key_invalid())
            return self._carry_out(request)
        except Refused as refused:
            return refused.answer

    def _carry_out(self, request: Request) -> Answer:
        for pattern, methods in _ROUTES:
            if found := pattern.fullmatch(request.path):
                if request.method not in methods:
                    raise Refused(problems.wrong_method(", ".join(methods)))
                list_id, *ids = found.groups() or (None,)
                if list_id is not None and not self._has(list_id):
                    raise Refused(problems.not_found())
                return methods[request.method](self, request, *ids)
        raise Refused(problems.not_found())

    def _has(self, list_id: str) -> bool:
        return self.has_list and list_id == self.audience.list_id


Route = Callable[..., Answer]


def _ping(_: Api, __: Request) -> Answer:
    return ok({"health_status": "Everything's Chimpy!"})


def _of_audience(route: Route) -> Route:
    return lambda api, request, *ids: route(api.audience, request, *ids)


def _of_hooks(route: Route) -> Route:
    return lambda api, request, *ids: route(api.hooks, request, api.audience.list_id, *ids)


_LIST = r"/lists/([^/]+)"
_ROUTES: tuple[tuple[re.Pattern[str], Mapping[str, Route]], ...] = (
    (re.compile("/ping"), {"GET": _ping}),
    (
        re.compile(_LIST),
        {"GET": _of_audience(members.show_list), "POST": _of_audience(members.batch)},
    ),
    (re.compile(f"{_LIST}/merge-fields"), {"GET": _of_audience(members.show_merge_fields)}),
    (
        re.compile(f"{_LIST}/members"),
        {"GET": _of_audience(members.show_all), "POST": _of_audience(members.post)},
    ),
    (
        re.compile(f"{_LIST}/members/([^/]+)"),
        {
            "GET": _of_audience(members.show),
            "PUT": _of_audience(members.put),
            "PATCH": _of_audience(members.patch),
            "DELETE": _of_audience(members.archive),
        },
    ),
    (
        re.compile(f"{_LIST}/members/([^/]+)/actions/delete-permanent"),
        {"POST": _of_audience(members.delete_permanently)},
    ),
    (
        re.compile(f"{_LIST}/webhooks"),
        {"GET": _of_hooks(webhooks.show_all), "POST": _of_hooks(webhooks.create)},
    ),
    (
        re.compile(f"{_LIST}/webhooks/([^/]+)"),
        {
            "GET": _of_hooks(webhooks.show),
            "PATCH": _of_hooks(webhooks.change),
            "DELETE": _of_hooks(webhooks.delete),
        },
    ),
)
