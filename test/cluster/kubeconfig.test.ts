// The rules by which kubectl finds a cluster.
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { type ClusterChoice, findCluster, homesOf } from "../../shared/cluster/kubeconfig.ts";
import { fileWith, scratch } from "./connect.ts";

interface Parts {
  clusters?: Record<string, object | null>;
  users?: Record<string, object | null>;
  contexts?: Record<string, object | null>;
  current?: string;
}

function config({ clusters = {}, users = {}, contexts = {}, current }: Parts): string {
  const list = (kind: string, entries: object) =>
    Object.entries(entries).map(([name, entry]) => ({ name, [kind]: entry }));
  return JSON.stringify({
    ...(current !== undefined && { "current-context": current }),
    clusters: list("cluster", clusters),
    users: list("user", users),
    contexts: list("context", contexts),
  });
}

const whole = {
  clusters: { a: { server: "https://a.example.com" } },
  users: { me: { token: "t" } },
  contexts: { one: { cluster: "a", user: "me", namespace: "demo" } },
  current: "one",
};

/** Finds the cluster by KUBECONFIG, with a file for each text; undefined stands for a file that is not there. */
async function find(texts: (string | undefined)[], choice: ClusterChoice = {}) {
  const folder = await scratch();
  const files = texts.map((_, index) => join(folder, `config-${index}`));
  for (const [index, text] of texts.entries()) if (text !== undefined) await writeFile(files[index] ?? "", text);
  return findCluster(choice, { KUBECONFIG: files.join(delimiter) });
}

describe("several files", () => {
  test("one that is not there is skipped", async () => {
    expect((await find([undefined, config(whole)])).cluster.server).toBe("https://a.example.com");
  });

  test.each(["", "# nothing\n", "---\n", "null\n", "apiVersion: v1\nkind: Config\n"])(
    "one with nothing in it (%j) is skipped",
    async (text) => {
      expect((await find([text, config(whole)])).cluster.server).toBe("https://a.example.com");
    },
  );

  test("of two entries with one name the first counts", async () => {
    const other = config({
      ...whole,
      clusters: { a: { server: "https://b.example.com" } },
      users: { me: { token: "u" } },
    });
    expect(await find([config(whole), other])).toMatchObject({
      cluster: { server: "https://a.example.com" },
      user: { token: "t" },
    });
    expect((await find([other, config(whole)])).user.token).toBe("u");
  });

  test("the current context may stand in the second alone, and what it names in a third", async () => {
    const { clusters, users, contexts, current } = whole;
    expect(await find([config({ clusters }), config({ current }), config({ contexts, users })])).toMatchObject({
      namespace: "demo",
      user: { token: "t" },
    });
  });

  test("the first current context counts, and --context more", async () => {
    const second = config({
      clusters: { b: { server: "https://b.example.com" } },
      contexts: { two: { cluster: "b" } },
      current: "two",
    });
    expect((await find([config(whole), second])).cluster.server).toBe("https://a.example.com");
    expect((await find([config(whole), second], { context: "two" })).cluster.server).toBe("https://b.example.com");
  });
});

describe("one file", () => {
  test("incomplete contexts, clusters and users elsewhere in it are nobody's business", async () => {
    const text = config({
      ...whole,
      clusters: { ...whole.clusters, half: null, odd: {} },
      users: { ...whole.users, nobody: null },
      contexts: { ...whole.contexts, torn: null, lost: { cluster: "gone" }, bare: {} },
    });
    expect((await find([text])).cluster.server).toBe("https://a.example.com");
  });

  test("a context needs no user and no namespace", async () => {
    const text = config({ ...whole, contexts: { one: { cluster: "a" } } });
    expect(await find([text])).toMatchObject({ user: {}, namespace: "default" });
  });

  test("relative paths begin at the file's folder, a bare command on the PATH", async () => {
    const folder = await scratch();
    const text = config({
      ...whole,
      clusters: { a: { server: "https://a.example.com", "certificate-authority": "pki/ca.crt" } },
      users: {
        me: {
          "client-certificate": "me.crt",
          "client-key": "../me.key",
          tokenFile: "token",
          exec: { command: "./bin/login" },
        },
        other: { exec: { command: "aws" } },
      },
      contexts: { ...whole.contexts, other: { cluster: "a", user: "other" } },
    });
    await writeFile(join(folder, "config"), text);
    const kubeconfig = join(folder, "config");
    expect(await findCluster({ kubeconfig }, {})).toMatchObject({
      cluster: { "certificate-authority": join(folder, "pki/ca.crt") },
      user: {
        "client-certificate": join(folder, "me.crt"),
        "client-key": join(folder, "..", "me.key"),
        tokenFile: join(folder, "token"),
        exec: { command: join(folder, "bin/login") },
      },
    });
    expect((await findCluster({ kubeconfig, context: "other" }, {})).user.exec?.command).toBe("aws");
  });

  test.each([
    [
      "no current context",
      { ...whole, current: "" },
      { message: "the kubeconfig names no current context", next: /one/ },
    ],
    [
      "another context",
      { ...whole, current: "onne" },
      { message: "there is no context onne", next: /did you mean --context one/ },
    ],
    ["no cluster", { ...whole, clusters: {} }, { message: /cluster a, which has no server/ }],
    ["no user", { ...whole, users: {} }, { message: /a user that is not there: me/ }],
  ])("%s is told with a way on", async (_, parts, { message, next }: { message: string | RegExp; next?: RegExp }) => {
    const refused = (await find([config(parts)]).catch((thrown: unknown) => thrown)) as {
      message: string;
      next: string;
    };
    expect(refused.message).toMatch(message);
    if (next !== undefined) expect(refused.next).toMatch(next);
  });

  test("a command beside a kubeconfig that is named by a relative path is not looked up on the PATH", async () => {
    const kubeconfig = await fileWith(config({ ...whole, users: { me: { exec: { command: "./login" } } } }));
    const { user } = await findCluster({ kubeconfig: relative(process.cwd(), kubeconfig) }, {});
    expect(user.exec?.command).toBe(join(dirname(kubeconfig), "login"));
  });

  test("a text without its quotes is told by its field", async () => {
    const user = { ...whole, users: { me: { token: 12345 } } };
    await expect(find([config(user)])).rejects.toThrow("token of user me is the number 12345; put a text into quotes");
    const cluster = { ...whole, clusters: { a: { server: 6443 } } };
    await expect(find([config(cluster)])).rejects.toThrow("server of cluster a is the number 6443");
  });

  test("what is no YAML is told with the file", async () => {
    const kubeconfig = await fileWith("clusters: [");
    await expect(findCluster({ kubeconfig }, {})).rejects.toMatchObject({ where: kubeconfig });
  });
});

describe("no file", () => {
  test("is an error for --kubeconfig, and for KUBECONFIG when none is there", async () => {
    await expect(findCluster({ kubeconfig: "/nowhere/config" }, {})).rejects.toMatchObject({
      where: "/nowhere/config",
    });
    await expect(find([undefined, undefined])).rejects.toThrow("none of the kubeconfigs exists");
    await expect(findCluster({}, {})).rejects.toThrow("there is no kubeconfig and this is no pod");
  });

  test("of the home's the first that is there counts", async () => {
    const home = await scratch();
    await mkdir(join(home, ".kube"));
    await writeFile(join(home, ".kube", "config"), config(whole));
    expect((await findCluster({}, { HOME: home })).namespace).toBe("demo");
  });

  test("in a pod its own account is taken", async () => {
    const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443", POD_NAMESPACE: "tools" };
    const found = await findCluster({}, { ...env, KUBECONFIG: await fileWith("# nothing") });
    expect(found).toEqual(await findCluster({}, env));
    expect(found).toMatchObject({
      cluster: { server: "https://[fd00::1]:6443" },
      namespace: "tools",
    });
  });
});

test("homes on Windows", () => {
  const env = { HOME: "H:\\me", HOMEDRIVE: "C:", HOMEPATH: "\\Users\\me", USERPROFILE: "D:\\profile" };
  expect(homesOf(env, "win32")).toEqual(["H:\\me", "C:\\Users\\me", "D:\\profile"]);
  expect(homesOf({ USERPROFILE: "D:\\profile", HOMEDRIVE: "C:" }, "win32")).toEqual(["D:\\profile"]);
  expect(homesOf(env, "linux")).toEqual(["H:\\me"]);
});
