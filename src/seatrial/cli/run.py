"""``seatrial run``: a task, a job or any command on the image that is live."""

from __future__ import annotations

from typing import Annotated

import typer

from seatrial.cli.output import ConfigOption, EnvironmentArgument, JsonOption, Output

app = typer.Typer(add_completion=False)


@app.command()
def run(
    environment: EnvironmentArgument,
    words: Annotated[
        list[str], typer.Argument(metavar="TASK | -- COMMAND...", help="A [tasks.NAME] or [jobs.NAME], or a command.")
    ],
    config: ConfigOption = "seatrial.toml",
    as_json: JsonOption = False,
) -> None:
    """Run a task or a command on the live image; its log goes to standard output.

    Ends with the task's own exit code, as ssh and docker run do; 2 if it cannot be asked for, 3 if it did not come to
    an exit code (not started, stopped, too late). --json says which.

    Examples: seatrial run production migrate; seatrial run production -- python manage.py check --deploy
    """
    from seatrial.cli.releasing import Signals, opened
    from seatrial.release.oneoff import run as run_task
    from seatrial.release.watch import ReleaseEvent, TaskLogged

    output = Output(as_json=as_json)
    settings, _, aws = opened(config, environment)
    task = words[0] if len(words) == 1 else None
    log: list[str] = []

    def show(event: ReleaseEvent) -> None:
        if not isinstance(event, TaskLogged):
            output.say(event.line(), style="dim")
        elif as_json:
            log.append(event.text)
        else:
            output.result({}, text=event.text)

    with Signals(output, "The task is running.") as signals:
        ended = run_task(settings, aws, task=task, command=() if task else words, on_event=show, interrupt=signals)
    if ended.problem is not None:
        output.say(f"error: {ended.problem}", style="bold red")
    code = ended.exit_code if ended.exit_code is not None else 3
    if as_json:
        data = {
            "task": ended.task.id if ended.task else None,
            "task_exit_code": ended.exit_code,
            "exit_code": code,
            "problem": ended.problem,
            "log": log,
        }
        output.result(data)
    if code:
        raise typer.Exit(code)
