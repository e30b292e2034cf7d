// Where the parts of the bed listen, each in a namespace of its own address.
export const API_PORT = 6443;
export const KUBELET_PORT = 10250;
export const DISCOVERY_PORT = 15012;
export const REGISTRY_PORT = 5000;
export const SECURE_REGISTRY_PORT = 5443;
export const PROXY_ADMIN_PORT = 15000;
export const PROXY_READY_PORT = 15021;
export const APP_HTTP_PORT = 9080;
export const APP_GRPC_PORT = 9090;
export const GATEWAY_HTTP_PORT = 8080;
export const GATEWAY_HTTPS_PORT = 8443;
