;; A filter that traps on a request with more than 20 headers and lets every other pass.
(module
  (memory (export "memory") 1)
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_request_headers") (param $context i32) (param $headers i32) (param $end i32) (result i32)
    (if (i32.gt_u (local.get $headers) (i32.const 20)) (then unreachable))
    (i32.const 0)))
