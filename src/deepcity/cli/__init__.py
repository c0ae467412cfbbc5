"""Command line: one file a verb."""

import errno
import sys

import typer

from deepcity import __version__
from deepcity.city.errors import DeepCityError
from deepcity.city.printable import printable
from deepcity.cli import account, data, demo, init, report, run, serve
from deepcity.cli import agent as agent
from deepcity.cli import train_vertical as train_vertical
from deepcity.cli import up as up
from deepcity.cli import update as update
from deepcity.cli.audit.command import audit
from deepcity.cli.cameras import command as cameras
from deepcity.cli.cameras import networks
from deepcity.cli.casework import command as casework
from deepcity.cli.counts.command import counts
from deepcity.cli.federation import commands as federation
from deepcity.cli.forecasting import backtest, export, forecast
from deepcity.cli.ledger import commands as ledger
from deepcity.cli.packages import keys, layers
from deepcity.cli.policy import command as policy
from deepcity.cli.progress_bars import errors
from deepcity.cli.renamed import readable_warnings, with_new_words

_SHOWN = 60  # signs of a path that is too long
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Federated learning for cities: share hidden layers of networks, never raw rows.",
    epilog="Begin with: deepcity init FILE (your own records), or deepcity demo",
)
app.command()(init.init)
app.command()(demo.demo)
app.command()(run.run)
app.command()(update.update)
app.command()(train_vertical.train_vertical)
app.command()(forecast.forecast)
app.command()(backtest.backtest)
app.command()(export.export)
app.command()(report.report)
app.command()(audit)
app.command()(counts)
app.command()(agent.agent)
app.command()(serve.serve)
app.command()(up.up)
app.command()(account.account)
app.add_typer(cameras.app, name="cameras")
app.add_typer(networks.app, name="models")
app.add_typer(data.app, name="data")
app.add_typer(layers.app, name="layers")
app.add_typer(keys.app, name="keys")
app.add_typer(policy.app, name="policy")
app.add_typer(federation.app, name="federation")
app.add_typer(ledger.app, name="ledger")
app.add_typer(casework.app, name="case")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deepcity {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Federated learning for cities: share hidden layers of networks, never raw rows."""


def main() -> None:
    """Run the command line; errors made to be read are printed without a traceback."""
    try:
        with readable_warnings():
            app(with_new_words(sys.argv[1:]))
    except DeepCityError as error:
        errors.print(printable(f"{type(error).__name__}: {error}"), style="red", markup=False)
        sys.exit(1)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        shown = str(error.filename)[:_SHOWN]
        text = f"{shown!r}… ({len(str(error.filename)):,} signs): no disk holds so long a name"
        errors.print(f"{text}; correct the path", style="red", markup=False)
        sys.exit(1)
