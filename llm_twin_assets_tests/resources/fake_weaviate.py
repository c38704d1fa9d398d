"""A server that speaks as much of Weaviate's protocol as our store uses: REST for schemas and aliases, gRPC for data.

It answers the real client over real sockets, with the client's own protobuf messages. It is no Weaviate: it searches by
brute force, counts words instead of BM25, and says nothing about a server's own limits, speed or consistency. The same
suite runs against a real server where TWIN_VECTOR_STORE names one.
"""

import json
import re
import threading
import uuid
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import numpy as np
from weaviate.proto.v1 import aggregate_pb2, base_pb2, batch_delete_pb2, batch_pb2, properties_pb2, search_get_pb2
from weaviate.proto.v1 import weaviate_pb2_grpc as services

_OF = base_pb2.Filters
_HNSW = {
    "cleanupIntervalSeconds": 300, "distance": "cosine", "dynamicEfMin": 100, "dynamicEfMax": 500, "dynamicEfFactor": 8,
    "ef": -1, "efConstruction": 128, "filterStrategy": "acorn", "flatSearchCutoff": 40000, "maxConnections": 32,
    "skip": False, "vectorCacheMaxObjects": 10**12,
}  # fmt: skip


class FakeWeaviate:
    """Collections, aliases and objects in memory. `fail_after` writes, every further one is refused."""

    def __init__(self):
        self.schemas, self.aliases, self.tenants, self.fail_after = {}, {}, {}, None
        self.lock = threading.RLock()
        self.rest = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Rest,), {"server_": self}))
        self.grpc = grpc.server(futures.ThreadPoolExecutor(8))
        services.add_WeaviateServicer_to_server(_Grpc(self), self.grpc)
        self.grpc_port = self.grpc.add_insecure_port("127.0.0.1:0")

    @property
    def address(self):
        return f"weaviate://127.0.0.1:{self.rest.server_address[1]}?grpc={self.grpc_port}"

    def __enter__(self):
        self.grpc.start()
        threading.Thread(target=self.rest.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.grpc.stop(0)
        self.rest.shutdown()
        self.rest.server_close()

    def objects(self, collection, tenant):
        name = self.aliases.get(collection, collection)
        return self.tenants[name][tenant]

    def counted(self):
        """Whether one more write is taken."""
        if self.fail_after is None:
            return True
        self.fail_after -= 1
        return self.fail_after >= 0


class _Rest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _reply(self, status, body=None):
        data = b"" if body is None or self.command == "HEAD" else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _do(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.split("?")[0].removeprefix("/v1/").split("/")
        route = getattr(self, f"_{path[0]}", None)
        with self.server_.lock:
            self._reply(*(route(path[1:], body) if route else (404,)))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _do  # noqa: N815 - http.server's names

    def _meta(self, path, body):
        return 200, {"version": "1.36.0", "hostname": "fake", "modules": {}}

    def _schema(self, path, body):
        fake, command = self.server_, self.command
        if not path:
            if command == "GET":
                return 200, {"classes": list(fake.schemas.values())}
            if body["class"] in fake.schemas:
                return 422, {"error": [{"message": "class name already exists"}]}
            fake.schemas[body["class"]], fake.tenants[body["class"]] = _with_defaults(body), {}
            return 200, body
        return self._collection(path[0], path, body)

    def _collection(self, name, path, body):
        fake = self.server_
        if name not in fake.schemas:
            return 404, None
        if path[1:2] == ["tenants"]:
            return self._tenants(name, path[2:], body)
        if path[1:2] == ["properties"]:
            fake.schemas[name]["properties"].append({"indexFilterable": True, "indexSearchable": False, **body})
            return 200, body
        if self.command == "DELETE":
            del fake.schemas[name], fake.tenants[name]
            return 200, None
        return 200, fake.schemas[name]

    def _tenants(self, name, path, body):
        tenants = self.server_.tenants[name]
        if self.command == "POST":
            for each in body:
                tenants.setdefault(each["name"], {})
            return 200, body
        return (200 if path[0] in tenants else 404), None

    def _aliases(self, path, body):
        aliases, command = self.server_.aliases, self.command
        if not path and command == "GET":
            return 200, {"aliases": [{"alias": alias, "class": name} for alias, name in aliases.items()]}
        if command == "POST":
            if body["alias"] in aliases or body["alias"] in self.server_.schemas:
                return 422, {"error": [{"message": "create alias: already exists"}]}
            aliases[body["alias"]] = body["class"]
            return 200, body
        if path[0] not in aliases:
            return 404, None
        if command == "DELETE":
            del aliases[path[0]]
            return 204, None
        if command == "PUT":
            aliases[path[0]] = body["class"]
        return 200, {"alias": path[0], "class": aliases[path[0]]}


class _Grpc(services.WeaviateServicer):
    def __init__(self, fake):
        self.fake = fake

    def BatchObjects(self, request, context):  # noqa: N802 - a name of the protocol
        errors = []
        with self.fake.lock:
            for index, each in enumerate(request.objects):
                if not self.fake.counted():
                    errors.append(batch_pb2.BatchObjectsReply.BatchError(index=index, error="no disk space left"))
                    continue
                fields = dict(each.properties.non_ref_properties.items())
                fields |= {it.prop_name: list(it.values) for it in each.properties.text_array_properties}
                fields |= {name: [] for name in each.properties.empty_list_props}
                self.fake.objects(each.collection, each.tenant)[each.uuid] = (
                    fields, np.frombuffer(each.vector_bytes, "<f4"),
                )  # fmt: skip
        return batch_pb2.BatchObjectsReply(errors=errors)

    def BatchDelete(self, request, context):  # noqa: N802 - a name of the protocol
        with self.fake.lock:
            if not self.fake.counted():
                context.abort(grpc.StatusCode.INTERNAL, "shard is read-only")
            objects = self.fake.objects(request.collection, request.tenant)
            gone = [key for key, (fields, _) in objects.items() if _passes(request.filters, fields)]
            for key in gone:
                del objects[key]
        return batch_delete_pb2.BatchDeleteReply(matches=len(gone), successful=len(gone))

    def Aggregate(self, request, context):  # noqa: N802 - a name of the protocol
        count = len(self.fake.objects(request.collection, request.tenant))
        return aggregate_pb2.AggregateReply(single_result=aggregate_pb2.AggregateReply.Single(objects_count=count))

    def Search(self, request, context):  # noqa: N802 - a name of the protocol
        with self.fake.lock:
            try:
                objects = dict(self.fake.objects(request.collection, request.tenant))
            except KeyError:
                context.abort(grpc.StatusCode.NOT_FOUND, f"no {request.collection} or tenant {request.tenant}")
        name = self.fake.aliases.get(request.collection, request.collection)
        kinds = {each["name"]: each["dataType"][0] for each in self.fake.schemas[name]["properties"]}
        chosen = [
            (key, fields, vector, 0.0)
            for key, (fields, vector) in objects.items()
            if not request.HasField("filters") or _passes(request.filters, fields)
        ]
        chosen = self._ranked(request, chosen)[: request.limit or 10]
        return search_get_pb2.SearchReply(results=[self._result(request, kinds, *each) for each in chosen])

    def _ranked(self, request, chosen):
        if request.HasField("near_vector"):
            near = request.near_vector
            packed = near.vector_bytes or near.vectors[0].vector_bytes
            asked = np.frombuffer(packed, "<f4").astype(float)
            far = [
                (*each[:3], 1.0 - float(asked @ each[2] / np.linalg.norm(asked) / np.linalg.norm(each[2])))
                for each in chosen
            ]
            return sorted(far, key=lambda each: (each[3], each[0]))
        if request.HasField("bm25_search"):
            words = set(_words(request.bm25_search.query))
            [searched] = request.bm25_search.properties
            scored = [(*each[:3], sum(word in words for word in _words(each[1][searched]))) for each in chosen]
            return sorted((each for each in scored if each[3]), key=lambda each: (-each[3], each[0]))
        return sorted(each for each in chosen if each[0] > request.after)

    def _result(self, request, kinds, key, fields, vector, number):
        metadata = search_get_pb2.MetadataResult(id=key, id_as_bytes=uuid.UUID(key).bytes)
        if request.metadata.distance:
            metadata.distance, metadata.distance_present = number, True
        if request.metadata.score:
            metadata.score, metadata.score_present = number, True
        if request.metadata.vector:
            metadata.vectors.append(
                base_pb2.Vectors(
                    name="default", vector_bytes=vector.tobytes(), type=base_pb2.Vectors.VECTOR_TYPE_SINGLE_FP32
                )
            )
        wanted = list(request.properties.non_ref_properties)
        unknown = set(wanted) - kinds.keys()
        assert not unknown, f"no such property: {unknown}"
        values = {name: _value(kinds[name], fields.get(name)) for name in wanted}
        return search_get_pb2.SearchResult(
            properties=search_get_pb2.PropertiesResult(non_ref_props=properties_pb2.Properties(fields=values)),
            metadata=metadata,
        )


def _with_defaults(schema):
    """A collection as a server gives it back: with what it filled in."""
    assert schema["multiTenancyConfig"]["enabled"], "every collection of ours has tenants"
    for each in schema["properties"]:
        each.setdefault("indexFilterable", True)
        each.setdefault("indexSearchable", each["dataType"] == ["text"])
    for each in schema["vectorConfig"].values():
        each["vectorIndexConfig"] = {**_HNSW, **each["vectorIndexConfig"]}
    return schema


def _value(kind, value):
    if value is None:
        return properties_pb2.Value(null_value=0)
    if kind == "text[]":
        texts = properties_pb2.TextValues(values=value)
        return properties_pb2.Value(list_value=properties_pb2.ListValue(text_values=texts))
    if kind == "int":
        return properties_pb2.Value(int_value=int(value))
    return properties_pb2.Value(**{f"{kind}_value": value})


def _words(text):
    return re.findall(r"\w+", text.lower())


def _passes(filters, fields):
    if filters.operator == _OF.OPERATOR_AND:
        return all(_passes(each, fields) for each in filters.filters)
    have = fields.get(filters.target.property)
    asked = getattr(filters, filters.WhichOneof("test_value"))
    if filters.operator == _OF.OPERATOR_CONTAINS_ANY:
        assert asked.values, "Weaviate refuses an empty list"
        return any(each in list(asked.values) for each in (have if isinstance(have, list) else [have]))
    if filters.operator == _OF.OPERATOR_NOT_EQUAL:
        return have != asked
    return (
        have is not None
        and {
            _OF.OPERATOR_EQUAL: have == asked,
            _OF.OPERATOR_GREATER_THAN_EQUAL: have >= asked,
            _OF.OPERATOR_LESS_THAN_EQUAL: have <= asked,
            _OF.OPERATOR_LESS_THAN: have < asked,
        }[filters.operator]
    )
