"""The real routes of searches, in front of a desk that an invented city is given."""

from zoneinfo import ZoneInfo

from fastapi import Request

from deepcity.web.api.refusals import Refusal, refuse
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.cases.routes import case_routes
from deepcity.web.control.roles import Role


def add_routes(app, city, role_of):
    """Asked by who the invented city says is logged in."""

    def asking(request: Request):
        name = request.state.user
        return User(name, Role(role_of(city, name)))

    app.add_exception_handler(Refusal, refuse)
    app.include_router(case_routes(city.desk, ZoneInfo("Asia/Seoul"), asking))
