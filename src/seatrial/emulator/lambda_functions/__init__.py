"""AWS Lambda functions that run: Python handlers, each invocation in a process of its own.

``engine``     installed on moto's Lambda: finds the function, runs it, answers and logs as Lambda does
``code``       a function's archive unpacked once
``process``    one invocation: the process, its time, its end
``bootstrap``  what that process runs: imports the handler, calls it, writes what it returned (imports nothing of ours)
``report``     what an invocation writes to CloudWatch Logs and answers, in Lambda's words. Pure
"""

from seatrial.emulator.lambda_functions.engine import LambdaFunctions

__all__ = ["LambdaFunctions"]
