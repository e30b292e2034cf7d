import { expect, test } from "vitest";
import { parseImageName, pinned } from "../../installer/registry/name.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

test.each([
  ["oci://registry.example.com/team/keyway:1.0", "registry.example.com", "team/keyway", "1.0"],
  ["oci://registry:5000/team/keyway:1.0", "registry:5000", "team/keyway", "1.0"],
  ["oci://localhost:5000/keyway:1.0", "localhost:5000", "keyway", "1.0"],
  ["oci://[::1]:5000/keyway:1.0", "[::1]:5000", "keyway", "1.0"],
  ["oci://docker.io/keyway:1.0", "docker.io", "library/keyway", "1.0"],
  ["oci://index.docker.io/keyway:1.0", "index.docker.io", "library/keyway", "1.0"],
  ["oci://docker.io/team/keyway:1.0", "docker.io", "team/keyway", "1.0"],
])("%s is what Istio's agent takes it for", (url, host, repository, tag) => {
  const name = parseImageName(url);
  expect(name).toEqual({ host, repository, tag });
  expect(pinned(name, DIGEST)).toBe(`oci://${host}/${repository}@${DIGEST}`);
});

test.each([
  ["oci://registry/team/keyway:1.0", "looks for registry/team/keyway at Docker Hub"],
  ["oci://localhost/keyway:1.0", "looks for localhost/keyway at Docker Hub"],
  ["oci://team/keyway", "looks for team/keyway at Docker Hub"],
  ["oci://h.io/keyway:1:2", "more than one tag"],
  [`oci://h.io/keyway:1:2@${DIGEST}`, "more than one tag"],
  [`oci://h.io/keyway@${DIGEST}@${DIGEST}`, "more than one @"],
  ["oci://h.io/k:1", "2 to 255 characters"],
  [`oci://h.io/${"k".repeat(256)}:1`, "2 to 255 characters"],
  [`oci://h.io/keyway:${"1".repeat(128)}`, "is no tag"],
  ["oci://h.io/keyway:", '"" is no tag'],
  ["oci://h.io/Keyway:1", "is no repository"],
  ["oci://us_er/keyway:1", "is no registry's host"],
  ["https://h.io/keyway:1", "oci:// is missing"],
])("%s is refused", (url, what) => {
  expect(() => parseImageName(url)).toThrow(what);
});
