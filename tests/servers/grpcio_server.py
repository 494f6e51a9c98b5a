"""A gRPC server that is not ours: what a caller asks for in its metadata is what happens.

It prints its port, serves until its standard input ends, and keeps what it saw for the method `Seen`.
Messages are plain bytes.
"""

import json
import sys
import threading
import time
from concurrent import futures

import grpc

calls = []
lock = threading.Lock()


def note(method, context, body):
    """Keeps a call; how many of this name there were before it."""
    asked = dict(context.invocation_metadata())
    call = {
        "method": method,
        "call": asked.get("call"),
        "previous": asked.get("grpc-previous-rpc-attempts"),
        "body": body.decode(),
        "at": time.monotonic(),
    }
    with lock:
        before = sum(earlier["call"] == call["call"] for earlier in calls)
        calls.append(call)
    return asked, before


def fail(context, asked):
    """Ends the call with the status that was asked for, and with the pushback, if one was."""
    if "pushback" in asked:
        context.set_trailing_metadata([("grpc-retry-pushback-ms", asked["pushback"])])
    code = next(code for code in grpc.StatusCode if code.value[0] == int(asked["code"]))
    context.abort(code, "as asked")


def fail_times(request, context):
    """Fails `times` times, with nothing but trailers; then answers."""
    asked, before = note("FailTimes", context, request)
    if before < int(asked["times"]):
        fail(context, asked)
    return request


def headers_then_error(request, context):
    """The same, but for initial metadata that goes out on its own."""
    asked, before = note("HeadersThenError", context, request)
    context.send_initial_metadata([("early", "yes")])
    if before < int(asked["times"]):
        fail(context, asked)
    return request


def mid_stream(request, context):
    """Gives a message, and then fails `times` times."""
    asked, before = note("MidStream", context, request)
    yield request
    if before < int(asked["times"]):
        fail(context, asked)
    yield request


def echo(requests, context):
    """Reads a stream to its end, fails `times` times, then gives it back as one message, with a trailer."""
    body = b"".join(requests)
    asked, before = note("Echo", context, body)
    if before < int(asked["times"]):
        fail(context, asked)
    context.set_trailing_metadata([("attempts", str(before + 1))])
    return body


def early_error(requests, context):
    """Fails `times` times before it has read anything; then reads a stream to its end, and gives it back."""
    asked, before = note("EarlyError", context, b"")
    if before < int(asked["times"]):
        fail(context, asked)
    return b"".join(requests)


def seen(_request, _context):
    """All calls so far, oldest first."""
    with lock:
        return json.dumps(calls).encode()


METHODS = {
    "FailTimes": grpc.unary_unary_rpc_method_handler(fail_times),
    "HeadersThenError": grpc.unary_unary_rpc_method_handler(headers_then_error),
    "MidStream": grpc.unary_stream_rpc_method_handler(mid_stream),
    "Echo": grpc.stream_unary_rpc_method_handler(echo),
    "EarlyError": grpc.stream_unary_rpc_method_handler(early_error),
    "Seen": grpc.unary_unary_rpc_method_handler(seen),
}


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("foreign.Peer", METHODS)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


main()
