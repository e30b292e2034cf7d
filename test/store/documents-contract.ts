// What documents of every store have to hold.
import { expect, onTestFinished, test } from "vitest";
import type { DocumentChange } from "../../server/store/documents.ts";
import type { Store } from "../../server/store/store.ts";
import { type Backend, route } from "./contract.ts";

async function follow(open: Backend) {
  const store: Store = await open();
  onTestFinished(() => store.close());
  const revisions: number[] = [];
  await store.start(({ revision }) => revisions.push(revision), new AbortController().signal);
  const texts = new Map<string, string>();
  const changes: DocumentChange[] = [];
  await store.documents.follow((told) => {
    for (const one of told) {
      changes.push(one);
      if (one.text === undefined) texts.delete(one.id);
      else texts.set(one.id, one.text);
    }
  });
  return {
    store,
    documents: store.documents,
    changes,
    revisions,
    contents: () => Object.fromEntries([...texts].sort()),
  };
}

export function documentsContract(backend: () => Promise<Backend> | Backend): void {
  test("documents are there after a new start, and all followers are told of each change", async () => {
    const open = await backend();
    const first = await follow(open);
    const [one] = await first.documents.write([
      { id: "a/1", text: '"one"' },
      { id: "a/2", text: '"two"' },
    ]);
    expect(first.contents()).toEqual({ "a/1": '"one"', "a/2": '"two"' });
    const second = await follow(open);
    expect(second.contents()).toEqual(first.contents());
    const [next] = await second.documents.write([{ id: "a/1", text: '"new"' }, { id: "a/2" }]);
    expect(next).toBeGreaterThan(one ?? 0);
    expect(second.contents()).toEqual({ "a/1": '"new"' });
    await expect.poll(first.contents).toEqual(second.contents());
    await first.store.close();
    expect((await follow(open)).contents()).toEqual(second.contents());
  });

  test("a document is written over the version alone that its writer has seen", async () => {
    const { documents, contents } = await follow(await backend());
    const [first] = await documents.write([{ id: "a", text: "1", version: 0 }]);
    expect(first).toBeGreaterThan(0);
    const refused = await documents.write([
      { id: "a", text: "2", version: 0 },
      { id: "b", text: "2", version: 7 },
      { id: "c", text: "3", version: 0 },
    ]);
    expect(refused).toEqual([undefined, undefined, expect.any(Number)]);
    const [second] = await documents.write([{ id: "a", text: "4", version: first ?? 0 }]);
    expect(await documents.write([{ id: "a", version: first ?? 0 }])).toEqual([undefined]);
    expect(contents()).toEqual({ a: "4", c: "3" });
    expect(await documents.write([{ id: "a", version: second ?? 0 }, { id: "nobody" }])).not.toContain(undefined);
    expect(contents()).toEqual({ c: "3" });
  });

  test("of many who write one document at one time, one is first", async () => {
    const open = await backend();
    const [one, other] = [await follow(open), await follow(open)];
    const [version = 0] = await one.documents.write([{ id: "a", text: "0" }]);
    const both = [one, other, one, other].map(({ documents }, at) =>
      documents.write([{ id: "a", text: String(at + 1), version }]),
    );
    const results = (await Promise.all(both)).flat();
    expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    const last = String(results.findIndex((result) => result !== undefined) + 1);
    await expect.poll(() => [one.contents(), other.contents()]).toEqual([{ a: last }, { a: last }]);
  });

  test("no document is a revision of the table, and many are written at once", async () => {
    const { store, documents, revisions, contents } = await follow(await backend());
    const writes = Array.from({ length: 120 }, (_, at) => ({ id: `many/${at}`, text: String(at) }));
    expect(await documents.write(writes)).not.toContain(undefined);
    expect(Object.keys(contents())).toHaveLength(120);
    expect(revisions).toEqual([]);
    await store.commit({ set: [route("a")], delete: [] });
    expect(revisions).toHaveLength(1);
    await documents.write(writes.map(({ id }) => ({ id })));
    expect([contents(), revisions.length]).toEqual([{}, 1]);
  });
}
