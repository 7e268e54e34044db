"""The commands of `perfwright`.

Each builds a request, calls one use case of `perfwright.app`, and prints what comes back: one
JSON object on standard output with `--json`, text for people on standard error otherwise.
Use cases are imported when they are called, so that asking for help does not pay for numpy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from perfwright import __version__
from perfwright.cli import output
from perfwright.core.campaign import Status
from perfwright.errors import PerfwrightError, UserError
from perfwright.report.document import stillborn
from perfwright.units import parse_duration

if TYPE_CHECKING:
    from perfwright.app.request import TuneRequest

app = typer.Typer(
    name="perfwright",
    help="Make programs that LLVM compiles faster, and prove it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_LAUNCHER: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
CampaignId = Annotated[
    str, typer.Argument(metavar="CAMPAIGN", help="Its id, a unique beginning of it, or 'last'.")
]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    if version:
        print(f"perfwright {__version__}")
        raise typer.Exit
    del debug  # `perfwright.cli.main` takes it, wherever it stands; here it is for --help
    if context.invoked_subcommand is None:
        output.note(context.get_help())
        raise typer.Exit(UserError.exit_status)


@app.command()
def doctor(json: Json = False) -> None:
    """Say what is installed, what is missing, and what this machine can measure."""
    from perfwright.app.machine.doctor import examine

    report = examine()
    output.show(report, report.lines(), json=json)
    if not report.fit:
        raise typer.Exit(3)


@app.command()
def tune(
    program: Annotated[
        Path,
        typer.Argument(help="A perfwright.toml, a folder with one, or one source file."),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGS...]", help="Arguments of a one-file program."),
    ] = None,
    mind: Annotated[
        list[str] | None,
        typer.Option(help="Who decides: builtin, openai:..., exec:...; or ROLE=MIND, repeated."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="Leave a role out: scorer, analyst, reasoner or evaluator."),
    ] = None,
    mind_timeout: Annotated[
        str, typer.Option(help="How long one request to a mind may take.")
    ] = "10m",
    max_usd: Annotated[
        float | None, typer.Option(min=0, help="Stop asking models after so many dollars.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=0, help="Stop asking models after so many tokens.")
    ] = None,
    max_requests: Annotated[
        int | None, typer.Option(min=0, help="Stop asking models after so many requests.")
    ] = None,
    top_k: Annotated[int, typer.Option(min=1, help="Functions that are looked into.")] = 10,
    context_tokens: Annotated[
        int, typer.Option(min=1000, help="How much a model is shown at once, roughly.")
    ] = 2500,
    ir_tokens: Annotated[
        int, typer.Option(min=0, help="IR of hot functions in addition, for the analyst; 0: none.")
    ] = 1800,
    tool_calls: Annotated[
        int, typer.Option(min=0, help="How often a model may call tools for one proposal.")
    ] = 6,
    levels: Annotated[str, typer.Option(help="Where edits may act, comma-separated.")] = "pipeline",
    rounds: Annotated[
        int | None, typer.Option(min=0, help="Measured candidates (3, or no limit with --time).")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Wall time for all, for example 10m; goes on while it pays.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="cpu, wall, instructions or cycles; cpu, or wall if parallel."),
    ] = None,
    toolchain: Annotated[str | None, typer.Option(help="LLVM to use: 22, or a path.")] = None,
    cpu: Annotated[
        str | None, typer.Option(help="native or a CPU name; the baseline gets it as well.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for recipe and report.")] = None,
    weak_oracle: Annotated[
        bool, typer.Option("--weak-oracle", help="Go on though the oracle misses most mutants.")
    ] = False,
    max_size: Annotated[
        float | None, typer.Option(help="Largest growth of code, as a ratio: 1.2.")
    ] = None,
    max_compile_time: Annotated[
        float | None, typer.Option(help="Largest growth of compile time, as a ratio.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only estimate what models would cost; ask none.")
    ] = False,
    json: Json = False,
) -> None:
    """Tune a program, prove the gain, and hand over a recipe."""
    from perfwright.app.campaign.tune import tune as run_tune
    from perfwright.app.request import TuneRequest, likely_name
    from perfwright.cli.progress import reporter
    from perfwright.minds.assignment import assign

    try:
        assignment = assign(mind or (), without or ())
        request = TuneRequest(
            program=program,
            arguments=tuple(arguments or ()),
            mind=assignment.everyone,
            roles=assignment.roles,
            mind_timeout=parse_duration(mind_timeout),
            max_usd=max_usd,
            max_tokens=max_tokens,
            max_requests=max_requests,
            top_k=top_k,
            context_tokens=context_tokens,
            ir_tokens=ir_tokens,
            tool_calls=tool_calls,
            levels=tuple(part.strip() for part in levels.split(",") if part.strip()),
            rounds=rounds if rounds is not None or time is not None else 3,
            seconds=parse_duration(time) if time is not None else None,
            metric=metric,
            toolchain=toolchain,
            cpu=cpu,
            seed=seed,
            out=out,
            weak_oracle=weak_oracle,
            max_size=max_size,
            max_compile_time=max_compile_time,
        )
    except PerfwrightError as error:
        document = stillborn(
            Status.FAILED,
            error.summary,
            program=likely_name(program),
            mind=" ".join(mind or ["builtin"]),
        )
        raise SystemExit(output.failed(error, json=json, document=document)) from error
    if dry_run:
        _estimate(request, json=json)
        return
    with reporter(request.seconds) as report:
        ended = run_tune(request, report)
    output.ended(ended, json=json)


def _estimate(request: TuneRequest, *, json: bool) -> None:
    from perfwright.app.study.estimate import estimate
    from perfwright.cli.progress import reporter

    with reporter(None) as report:
        estimated = estimate(request, report)
    output.show(estimated, estimated.lines(), json=json)


@app.command()
def runs(json: Json = False) -> None:
    """List campaigns, newest first."""
    from perfwright.app.record.campaigns import list_runs

    listing = list_runs()
    output.show(listing, listing.lines(), json=json)


@app.command()
def show(campaign: CampaignId, json: Json = False) -> None:
    """Show one campaign: its result, its rounds, its edits."""
    from perfwright.app.record.campaigns import document_of

    output.campaign(document_of(campaign), json=json)


@app.command()
def explain(campaign: CampaignId, json: Json = False) -> None:
    """Tell the story of a campaign: diagnosis, decision, consequence, correction."""
    from perfwright.app.record.explain import explain as run_explain
    from perfwright.report.story import story_lines

    story = run_explain(campaign)
    output.show(story, story_lines(story), json=json)


@app.command()
def resume(campaign: CampaignId, json: Json = False) -> None:
    """Go on with a campaign that was interrupted."""
    from perfwright.app.campaign.tune import resume as run_resume
    from perfwright.cli.progress import reporter

    with reporter(None) as report:
        ended = run_resume(campaign, report)
    output.ended(ended, json=json)


@app.command()
def replay(campaign: CampaignId, json: Json = False) -> None:
    """Run a campaign again from its journal alone, and compare the decisions."""
    from perfwright.app.record.replay import replay as run_replay

    output.replayed(run_replay(campaign), json=json)


@app.command()
def report(
    campaign: CampaignId,
    out: Annotated[Path | None, typer.Option(help="The HTML file to write.")] = None,
) -> None:
    """Write the HTML report of a campaign."""
    from perfwright.app.record.campaigns import write_report

    print(write_report(campaign, out))


@app.command()
def recipe(
    campaign: CampaignId,
    form: Annotated[str, typer.Option("--format", help="toml, make, cmake or shell.")] = "toml",
    out: Annotated[Path | None, typer.Option(help="Write it there; else print it.")] = None,
) -> None:
    """Print or export the recipe of a campaign."""
    from perfwright.app.recipes import export

    text = export(campaign, form)
    if out is None:
        print(text, end="")
    else:
        out.write_text(text, encoding="utf-8")


@app.command()
def verify(
    recipe_file: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe's TOML file.")],
    program: Annotated[
        Path | None, typer.Option(help="The program, if it is not where it was.")
    ] = None,
    json: Json = False,
) -> None:
    """Rebuild, check and measure a recipe again; status 1 when it no longer holds."""
    from perfwright.app.recipes import verify as run_verify
    from perfwright.cli.progress import reporter

    with reporter(None) as report_to:
        verification = run_verify(recipe_file, program, report_to)
    output.show(verification, verification.lines(), json=json)
    if not verification.holds:
        raise typer.Exit(1)


@app.command()
def bench(
    suite: Annotated[Path, typer.Argument(help="A folder of programs.")],
    only: Annotated[str | None, typer.Option(help="Programs, comma-separated.")] = None,
    rounds: Annotated[int, typer.Option(min=0, help="Measured candidates a program.")] = 3,
    methods: Annotated[
        str,
        typer.Option(help="Minds to compare, comma-separated; 'MIND ROLE=none' leaves a role out."),
    ] = "builtin",
    cpu: Annotated[str | None, typer.Option(help="native or a CPU name.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything that is random.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for tables and documents.")] = None,
    json: Json = False,
) -> None:
    """Tune every program of a suite under one budget and print the table."""
    from perfwright.app.study.bench import BenchRequest
    from perfwright.app.study.bench import bench as run_bench

    request = BenchRequest(
        suite=suite,
        only=tuple(name for name in (only or "").split(",") if name),
        rounds=rounds,
        methods=tuple(methods.split(",")),
        cpu=cpu,
        seed=seed,
        out=out,
    )
    result = run_bench(request, output.note)
    output.show(result, result.lines(), json=json)


@app.command()
def reproduce(
    campaign: CampaignId,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="An unbuildable trial: 1.2.")],
    reduce: Annotated[
        bool, typer.Option("--reduce", help="Make its input small with llvm-reduce.")
    ] = False,
    time: Annotated[str, typer.Option(help="Wall time for reducing, and for a hang.")] = "2m",
    out: Annotated[Path | None, typer.Option(help="A new folder for it.")] = None,
    json: Json = False,
) -> None:
    """Save what makes clang, opt or lld fail on a trial, for a bug report."""
    from perfwright.app.reproduce import reproduce as run_reproduce

    seconds = parse_duration(time)
    found = run_reproduce(campaign, trial, reduced=reduce, seconds=seconds, out=out)
    output.show(found, found.lines(), json=json)


@app.command()
def mcp(
    programs: Annotated[
        list[Path] | None,
        typer.Argument(help="What may be opened; whatever is in this folder when not given."),
    ] = None,
    http: Annotated[
        bool, typer.Option("--http", help="Serve HTTP on this machine, not standard input.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 0,
    token: Annotated[
        str, typer.Option(envvar="PERFWRIGHT_MCP_TOKEN", help="One is made when not given.")
    ] = "",
) -> None:
    """Let a coding agent be the mind, over the Model Context Protocol."""
    from perfwright.mcp.serve import Address, serve

    serve(programs or (), Address(port, token) if http else None, output.note, Path.cwd())


@app.command()
def clean(
    unused: Annotated[
        bool, typer.Option("--unused", help="Remove artefacts that no campaign needs.")
    ] = False,
    campaign: Annotated[
        list[str] | None, typer.Option(help="Remove this campaign as well.")
    ] = None,
    json: Json = False,
) -> None:
    """Say how much the journal and the artefacts take, and remove what is not needed."""
    from perfwright.app.record.campaigns import clean as run_clean

    result = run_clean(unused=unused, campaigns=tuple(campaign or ()))
    output.show(result, result.lines(), json=json)


@app.command(context_settings=_LAUNCHER)
def cc(context: typer.Context) -> None:
    """Compile C like clang; captures units, or applies a recipe (`--recipe FILE`)."""
    _launch(context.args, "c")


@app.command("c++", context_settings=_LAUNCHER)
def cxx(context: typer.Context) -> None:
    """Compile C++ like clang++; captures units, or applies a recipe (`--recipe FILE`)."""
    _launch(context.args, "c++")


def _launch(arguments: list[str], language: Literal["c", "c++"]) -> NoReturn:
    # Mostly `perfwright.cli.main` has been here before: this is for `perfwright --debug cc`.
    from perfwright.app.launch import launch

    raise typer.Exit(launch(arguments, language))
