import { expect, test } from "vitest";
import { identityOf } from "../../server/controller.ts";

test("a pod's controller has the pod's name, so that it goes on leading after a crash, and any other one a name that nobody has", () => {
  expect(identityOf({ POD_NAME: "keyway-server-1" })).toBe("keyway-server-1");
  expect(identityOf({})).not.toBe(identityOf({}));
});
