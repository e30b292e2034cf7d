// Program: what runs in a pod beside its proxy. Arguments: the relay's socket, and the name of the application if it has one.
import { serveEcho } from "./echo.ts";
import { serveRelay } from "./relay.ts";

const [socket, app] = process.argv.slice(2);
serveRelay(`${socket}`);
if (app) serveEcho(app);
