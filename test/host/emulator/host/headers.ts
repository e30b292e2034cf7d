// Reading and changing request headers, and answering in the upstream's place.
import { AbiViolation, HeaderMapType, Result } from "../abi.ts";
import { decodePairs, encodePairs, type Headers } from "../headers.ts";
import type { Vm } from "../vm.ts";
import { answer, type Functions } from "./functions.ts";

export function headerFunctions(vm: Vm): Functions {
  const map = (type: number): Headers | undefined => {
    if (type === HeaderMapType.RequestHeaders) return vm.acting.exchange?.headers;
    return type === HeaderMapType.HttpCallResponseHeaders ? vm.acting.root.callHeaders : undefined;
  };
  const edit = (type: number, change: (headers: Headers) => void): number => {
    const headers = map(type);
    if (!headers || vm.acting.logging) return Result.BadArgument;
    change(headers);
    return Result.Ok;
  };
  const text = (at: number, length: number) => vm.memory.text(at, length);
  return {
    proxy_get_header_map_value(type = 0, name = 0, nameSize = 0, at = 0, size = 0) {
      const wanted = text(name, nameSize);
      const headers = map(type);
      if (!headers) return vm.acting.logging ? Result.NotFound : Result.BadArgument;
      const value = headers.first(wanted);
      return answer(vm, value === undefined ? undefined : Buffer.from(value, "latin1"), at, size);
    },
    proxy_get_header_map_pairs(type = 0, at = 0, size = 0) {
      const pairs = map(type)?.pairs ?? [];
      return answer(vm, pairs.length === 0 ? Buffer.alloc(0) : encodePairs(pairs), at, size);
    },
    proxy_get_header_map_size(type = 0, at = 0) {
      const headers = map(type);
      if (!headers) return Result.BadArgument;
      vm.memory.putU32(at, headers.byteSize);
      return Result.Ok;
    },
    proxy_add_header_map_value(type = 0, name = 0, nameSize = 0, value = 0, valueSize = 0) {
      const [key, val] = [text(name, nameSize), text(value, valueSize)];
      return edit(type, (headers) => headers.add(key, val));
    },
    proxy_replace_header_map_value(type = 0, name = 0, nameSize = 0, value = 0, valueSize = 0) {
      const [key, val] = [text(name, nameSize), text(value, valueSize)];
      return edit(type, (headers) => headers.replace(key, val));
    },
    proxy_remove_header_map_value(type = 0, name = 0, nameSize = 0) {
      const key = text(name, nameSize);
      return edit(type, (headers) => headers.remove(key));
    },
    proxy_send_local_response(
      status = 0,
      details = 0,
      detailsSize = 0,
      body = 0,
      bodySize = 0,
      pairs = 0,
      pairsSize = 0,
      _grpcStatus = 0,
    ) {
      const exchange = vm.acting.exchange;
      const headers = decodePairs(vm.memory.bytes(pairs, pairsSize));
      if (!exchange || vm.acting.logging) throw new AbiViolation("a local response outside of a request");
      if (exchange.local) throw new AbiViolation("a second local response to one request");
      if (status < 200 || status > 599) throw new AbiViolation(`a local response with status ${status}`);
      for (const [name, value] of headers) {
        if (/[\0\r\n]/.test(name + value)) throw new AbiViolation(`response header ${JSON.stringify([name, value])}`);
      }
      const content = vm.memory.bytes(body, bodySize).toString("utf8");
      exchange.local = { status, headers, body: content, details: text(details, detailsSize) };
      return Result.Ok;
    },
  };
}
