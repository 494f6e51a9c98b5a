"""The health client of Python's `grpcio-health-checking`: what it is told, line by line.

    grpcio_health.py check ADDRESS SERVICE    one answer
    grpcio_health.py watch ADDRESS SERVICE    every answer, and how it ended
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def word(answer):
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def main():
    method, address, service = sys.argv[1:]
    request = health_pb2.HealthCheckRequest(service=service)
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            if method == "check":
                print(word(stub.Check(request, timeout=30)), flush=True)
            else:
                for answer in stub.Watch(request, timeout=60):
                    print(word(answer), flush=True)
                print("end", flush=True)
        except grpc.RpcError as error:
            print(error.code().name, flush=True)


main()
