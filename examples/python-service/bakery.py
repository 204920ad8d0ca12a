#!/usr/bin/env python3
"""A service that Rushlight did not write, watched like its own: standard library alone.

It bakes a loaf for every `POST /bake`, and one by itself now and then. Of each it tells
- a count and a duration at `/metrics`, in the text format of Prometheus;
- a trace of two spans and a line of log, to an OpenTelemetry receiver as OTLP/JSON.

Telemetry is never worth an answer: it waits in a queue that has an end, and what does not fit, or
cannot be sent, is dropped and counted.
"""

import argparse
import collections
import json
import os
import random
import re
import secrets
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5]
WAITING_MAX = 2_000
SEND_EVERY_S = 1.0
BODY_BYTES_MAX = 65_536
TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")


class Metrics:
    """Counts by status and a histogram of durations; `expose` is what a scrape reads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._requests = collections.Counter()
        self._buckets = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0
        self._dropped = 0

    def observe(self, status, duration_s):
        with self._lock:
            self._requests[status] += 1
            self._sum_s += duration_s
            above = sum(1 for bound in BOUNDS_S if duration_s > bound)
            self._buckets[above] += 1

    def drop(self, count):
        with self._lock:
            self._dropped += count

    def expose(self):
        labels = 'method="POST",route="/bake"'
        with self._lock:
            lines = ["# TYPE http_requests_total counter"]
            for status, count in sorted(self._requests.items()):
                lines.append(f'http_requests_total{{{labels},status="{status}"}} {count}')
            lines.append("# TYPE http_request_duration_seconds histogram")
            total = 0
            for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], self._buckets):
                total += count
                lines.append(f'http_request_duration_seconds_bucket{{{labels},le="{bound}"}} {total}')
            lines.append(f"http_request_duration_seconds_sum{{{labels}}} {self._sum_s:.6f}")
            lines.append(f"http_request_duration_seconds_count{{{labels}}} {total}")
            lines.append("# TYPE telemetry_dropped_total counter")
            lines.append(f"telemetry_dropped_total {self._dropped}")
        return "\n".join(lines) + "\n"


class Exporter:
    """Sends spans and log records to `<endpoint>/v1/traces` and `/v1/logs`, once a second."""

    def __init__(self, endpoint, service, metrics):
        self._endpoint = endpoint.rstrip("/")
        self._headers = {"content-type": "application/json", **headers_of(os.environ)}
        self._resource = {"attributes": attributes({"service.name": service, "service.instance.id": f"{service}-{os.getpid()}"})}
        self._metrics = metrics
        self._lock = threading.Lock()
        self._spans = collections.deque()
        self._logs = collections.deque()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, spans, record):
        with self._lock:
            self._spans.extend(spans)
            self._logs.append(record)
            for queue in (self._spans, self._logs):
                while len(queue) > WAITING_MAX:
                    queue.popleft()
                    self._metrics.drop(1)

    def close(self):
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self):
        while not self._stopped.wait(SEND_EVERY_S):
            self._flush()
        self._flush()

    def _flush(self):
        with self._lock:
            spans, logs = list(self._spans), list(self._logs)
            self._spans.clear()
            self._logs.clear()
        if spans:
            scope = {"scopeSpans": [{"scope": {"name": "bakery"}, "spans": spans}]}
            self._send("traces", {"resourceSpans": [{"resource": self._resource, **scope}]}, len(spans))
        if logs:
            scope = {"scopeLogs": [{"scope": {"name": "bakery"}, "logRecords": logs}]}
            self._send("logs", {"resourceLogs": [{"resource": self._resource, **scope}]}, len(logs))

    def _send(self, kind, body, count):
        url = f"{self._endpoint}/v1/{kind}"
        request = urllib.request.Request(url, json.dumps(body).encode(), self._headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                answer.read()
        except (OSError, urllib.error.URLError):
            self._metrics.drop(count)


def headers_of(environment):
    """`OTEL_EXPORTER_OTLP_HEADERS` is `name=value,name=value`."""
    pairs = environment.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(",")
    return dict(pair.strip().split("=", 1) for pair in pairs if "=" in pair)


def attributes(values):
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def any_value(value):
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}


class Bakery:
    """Bakes, and tells about it."""

    def __init__(self, metrics, exporter):
        self._metrics = metrics
        self._exporter = exporter

    def bake(self, traceparent=None):
        """One loaf. Goes on with the caller's trace where there is one, by W3C's `traceparent`."""
        caller = TRACEPARENT.match(traceparent or "")
        trace_id = caller.group(1) if caller else secrets.token_hex(16)
        span_id, oven_id = secrets.token_hex(8), secrets.token_hex(8)
        start_ns = time.time_ns()
        time.sleep(random.uniform(0.002, 0.03))
        is_burnt = random.random() < 0.05
        status = 500 if is_burnt else 200
        end_ns = time.time_ns()
        oven_ns = start_ns + (end_ns - start_ns) // 10
        self._metrics.observe(status, (end_ns - start_ns) / 1e9)
        span = {
            **{"traceId": trace_id, "spanId": span_id, "name": "POST /bake", "kind": 2},
            **{"startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(end_ns)},
            "attributes": attributes({"http.request.method": "POST", "http.route": "/bake", "http.response.status_code": status}),
            "status": {"code": 2 if is_burnt else 0},
            **({"parentSpanId": caller.group(2)} if caller else {}),
        }
        oven = {
            **{"traceId": trace_id, "spanId": oven_id, "parentSpanId": span_id, "name": "oven", "kind": 1},
            **{"startTimeUnixNano": str(oven_ns), "endTimeUnixNano": str(end_ns)},
        }
        record = {
            **{"timeUnixNano": str(end_ns), "traceId": trace_id, "spanId": span_id},
            **{"severityNumber": 17 if is_burnt else 9, "severityText": "ERROR" if is_burnt else "INFO"},
            "body": {"stringValue": "a loaf is burnt" if is_burnt else "a loaf is ready"},
            "attributes": attributes({"durationMs": (end_ns - start_ns) / 1e6}),
        }
        self._exporter.add([span, oven], record)
        return status, trace_id


def handler_of(bakery, metrics):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self):
            if self.path != "/metrics":
                return self._answer(404, "text/plain", "There is GET /metrics and POST /bake.\n")
            return self._answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics.expose())

        def do_POST(self):
            length = self.headers.get("content-length", "0")
            if not length.isdigit() or int(length) > BODY_BYTES_MAX:
                self.close_connection = True
                return self._answer(413, "text/plain", f"At most {BODY_BYTES_MAX} bytes are read.\n")
            self.rfile.read(int(length))
            if self.path != "/bake":
                return self._answer(404, "text/plain", "There is GET /metrics and POST /bake.\n")
            status, trace_id = bakery.bake(self.headers.get("traceparent"))
            return self._answer(status, "application/json", json.dumps({"traceId": trace_id}) + "\n")

        def _answer(self, status, content_type, text):
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass  # Requests are told as telemetry.

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=8080, help="0 is any free one")
    parser.add_argument("--every", type=float, default=1.0, help="bake by itself every so many seconds; 0 is never")
    options = parser.parse_args()
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    service = os.environ.get("OTEL_SERVICE_NAME", "bakery")

    metrics = Metrics()
    exporter = Exporter(endpoint, service, metrics)
    bakery = Bakery(metrics, exporter)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler_of(bakery, metrics))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"metrics at http://127.0.0.1:{server.server_port}/metrics, telemetry to {endpoint}", flush=True)

    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    while not stopped.wait(options.every if options.every > 0 else None):
        bakery.bake()
    server.shutdown()
    exporter.close()


if __name__ == "__main__":
    sys.exit(main())
