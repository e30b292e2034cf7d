// The peer of the benchmarks: what Keyway's hot path does, on the proxy-wasm crate. The configuration holds one `KEY TARGET`
// or `KEY TARGET BASELINE` per line; with a baseline, the filter asks all that Keyway asks.
use std::collections::HashMap;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

struct Route {
    target: String,
    baseline: Option<String>,
}

type Table = Rc<HashMap<String, Route>>;

fn read_line(line: &str) -> Option<(String, Route)> {
    let mut words = line.split(' ').map(str::to_owned);
    Some((words.next()?, Route { target: words.next()?, baseline: words.next() }))
}

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
        self.table = Rc::new(lines.lines().filter_map(read_line).collect());
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
        if let Some(route) = key.and_then(|key| self.table.get(&key)) {
            if self.applies(route) {
                self.set_property(vec!["keyway"], Some(b"routed"));
                self.set_http_request_header("x-keyway-cluster", Some(&route.target));
                self.set_http_request_header("x-keyway-routed", Some(&route.target));
            }
        }
        Action::Continue
    }
}

impl Request {
    fn applies(&self, route: &Route) -> bool {
        let baseline = match &route.baseline {
            Some(baseline) => baseline,
            None => return true,
        };
        let cluster = self.get_property(vec!["xds", "cluster_name"]);
        cluster.as_deref() == Some(baseline.as_bytes())
            && self.get_http_request_header("x-keyway-routed").as_ref() != Some(&route.target)
    }
}
