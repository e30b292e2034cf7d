// The life of root contexts and streams in a VM: how a plugin configuration comes, serves, and goes.
import type { Context, Exchange, Plugin } from "./context.ts";
import type { Thread } from "./thread.ts";
import type { Vm } from "./vm.ts";

/** A root context in use by plugin slots and streams; it goes when the last of them lets go. */
export type Handle = { key: string; root: Context; vm: Vm; users: number };

/** Creates and configures a root context as a new plugin configuration does; undefined when the module refuses. */
export function start(vm: Vm, plugin: Plugin): Context | undefined {
  const root = vm.newContext(plugin);
  root.configuration = plugin.configuration;
  vm.call("proxy_on_context_create", root, 0);
  root.configuration = undefined;
  if (vm.call("proxy_on_vm_start", root, 0) === 0) return undefined;
  root.configuration = plugin.configuration;
  const accepted = vm.call("proxy_on_configure", root, plugin.configuration.length) !== 0;
  root.configuration = undefined;
  return accepted ? root : undefined;
}

export function letGo(thread: Thread, handle: Handle): void {
  if (--handle.users > 0) return;
  finish(handle.vm, handle.root);
  if (thread.handles.get(handle.key) === handle) thread.handles.delete(handle.key);
}

function finish(vm: Vm, context: Context): void {
  vm.call("proxy_on_done", context);
  if (context.exchange) vm.call("proxy_on_log", context);
  vm.call("proxy_on_delete", context);
  vm.contexts.delete(context.id);
}

/** Runs the filter's stream callbacks; answers what ends the stream. */
export function filterRequest(thread: Thread, handle: Handle, exchange: Exchange): () => void {
  const { vm, root } = handle;
  handle.users++;
  const stream = vm.newContext(root.plugin as Plugin, root);
  stream.exchange = exchange;
  vm.call("proxy_on_context_create", stream, root.id);
  const status = vm.call("proxy_on_request_headers", stream, exchange.headers.pairs.length, 1) ?? 0;
  if (status !== 0 && !exchange.local) throw new Error(`the filter holds a request back with status ${status}`);
  return () => {
    finish(vm, stream);
    letGo(thread, handle);
  };
}
