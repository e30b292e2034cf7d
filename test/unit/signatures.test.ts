// What the module itself computes of signatures: SHA-256, HMAC, base64, and what a public key looks like.
import { createHash, createHmac, generateKeyPairSync, randomBytes, randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { isPublicKey } from "../../routes/model/edge.ts";
import { bytesAt, call, exportedAddress } from "./filter.ts";

function digest(text: Uint8Array, split = 0): string {
  call("digestOf", text, split);
  return bytesAt(exportedAddress("digest"), 32).toString("hex");
}

test("digests are those of node:crypto, at every length around a block's end, in one piece and in two", () => {
  for (let length = 0; length < 200; length++) {
    const text = randomBytes(length);
    const wanted = createHash("sha256").update(text).digest("hex");
    expect([digest(text), digest(text, randomInt(length + 1))]).toEqual([wanted, wanted]);
  }
  const long = randomBytes(4096);
  expect(digest(long, 1000)).toBe(createHash("sha256").update(long).digest("hex"));
});

// RFC 4231, all but the one whose code is cut off.
const VECTORS: [key: string, text: string, code: string][] = [
  [
    "0b".repeat(20),
    Buffer.from("Hi There").toString("hex"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  ],
  [
    Buffer.from("Jefe").toString("hex"),
    Buffer.from("what do ya want for nothing?").toString("hex"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  ["aa".repeat(20), "dd".repeat(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  [
    "0102030405060708090a0b0c0d0e0f10111213141516171819",
    "cd".repeat(50),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  ],
  [
    "aa".repeat(131),
    Buffer.from("Test Using Larger Than Block-Size Key - Hash Key First").toString("hex"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
  [
    "aa".repeat(131),
    Buffer.from(
      "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    ).toString("hex"),
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  ],
];

const verifies = (secret: Uint8Array, text: Uint8Array, code: Uint8Array) =>
  call<number>("verifies", secret, text, code) === 1;

describe("HMAC", () => {
  test.each(VECTORS)("of RFC 4231: %s", (key, text, code) => {
    const [secret, message, right] = [key, text, code].map((hex) => Buffer.from(hex, "hex")) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    expect(verifies(secret, message, right)).toBe(true);
    for (let at = 0; at < 32; at++) {
      const wrong = Buffer.from(right);
      wrong[at] = (wrong[at] ?? 0) ^ (1 << (at % 8));
      expect(verifies(secret, message, wrong)).toBe(false);
    }
    expect(verifies(secret, message, right.subarray(0, 31))).toBe(false);
    expect(verifies(secret, message, Buffer.concat([right, Buffer.alloc(1)]))).toBe(false);
    expect(verifies(secret, message, Buffer.alloc(0))).toBe(false);
  });

  test("is that of node:crypto for any secret and any text", () => {
    for (let round = 0; round < 500; round++) {
      const [secret, text] = [randomBytes(randomInt(1, 257)), randomBytes(randomInt(1100))];
      const code = createHmac("sha256", secret).update(text).digest();
      expect(verifies(secret, text, code)).toBe(true);
      expect(verifies(randomBytes(32), text, code)).toBe(false);
    }
  });
});

describe("public keys", () => {
  const der = (pair: ReturnType<typeof generateKeyPairSync>) =>
    (pair.publicKey as unknown as { export: (how: object) => Buffer }).export({ format: "der", type: "spki" });
  const rsa = (modulusLength: number) => der(generateKeyPairSync("rsa", { modulusLength }) as never);
  const ec = (namedCurve: string) => der(generateKeyPairSync("ec", { namedCurve }) as never);
  const both = (key: Buffer) => [call<number>("isPublicKey", key) === 1, isPublicKey(key.toString("latin1"))];

  test.each<[string, Buffer, boolean]>([
    ["P-256", ec("P-256"), true],
    ["RSA of 2048 bits", rsa(2048), true],
    ["RSA of 3072 bits", rsa(3072), true],
    ["RSA of 4096 bits", rsa(4096), true],
    ["RSA of 1024 bits", rsa(1024), false],
    ["P-384", ec("P-384"), false],
    ["Ed25519", der(generateKeyPairSync("ed25519") as never), false],
    ["nothing", Buffer.alloc(0), false],
    ["91 other bytes", Buffer.alloc(91, 0x30), false],
    ["P-256 with a byte more", Buffer.concat([ec("P-256"), Buffer.alloc(1)]), false],
    ["RSA without its end", rsa(2048).subarray(0, 200), false],
  ])("%s: %#", (_, key, is) => {
    expect(both(key)).toEqual([is, is]);
  });
});
