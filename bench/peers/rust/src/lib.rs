// The peer of the benchmarks: what Keyway's hot path does, on the proxy-wasm crate. The configuration holds one `KEY TARGET` per line.
use std::collections::HashMap;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

type Table = Rc<HashMap<String, String>>;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::<Root>::default() });
}}

#[derive(Default)]
struct Root {
    table: Table,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let lines = String::from_utf8_lossy(&text);
        let pairs = lines.lines().filter_map(|line| line.split_once(' '));
        self.table = Rc::new(pairs.map(|(key, target)| (key.to_owned(), target.to_owned())).collect());
        true
    }

    fn create_http_context(&self, _id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Request { table: self.table.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Request {
    table: Table,
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _headers: usize, _end: bool) -> Action {
        self.set_http_request_header("x-keyway-cluster", None);
        let key = self.get_http_request_header("x-routing-key");
        if let Some(target) = key.and_then(|key| self.table.get(&key)) {
            self.set_property(vec!["keyway"], Some(b"routed"));
            self.set_http_request_header("x-keyway-cluster", Some(target));
            self.set_http_request_header("x-keyway-routed", Some(target));
        }
        Action::Continue
    }
}
