// Points testcontainers at the engine of this test run. To be imported before testcontainers is used.
import { inject } from "vitest";

const engine = inject("engine");
if ("failure" in engine) throw new Error(`there is no Docker engine to test on: ${engine.failure}`);

process.env.DOCKER_HOST = engine.address;
// Its image would have to be pulled. What tests start they stop, and an engine of our own goes with all that is in it.
process.env.TESTCONTAINERS_RYUK_DISABLED = "true";
