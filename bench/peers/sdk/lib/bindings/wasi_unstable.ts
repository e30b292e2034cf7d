// The one WASI call that the SDK makes, under the name that proxies offer it.
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
export declare function proc_exit(code: u32): void;
