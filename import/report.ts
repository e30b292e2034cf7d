// What an import comes to: routes, what they need beside them, and what is not as it was.

import type { z } from "zod";
import { fromFileEntry } from "../routes/model/file-entry.ts";
import { inOrder, type LiveRoute } from "../routes/model/live-route.ts";
import { formatPath, type Path } from "../routes/reading/diagnostic.ts";
import { readLiveRoute } from "../routes/reading/live-route.ts";
import { diagnosticsOf } from "../routes/reading/validate.ts";
import type { KubeObject } from "../shared/cluster/object.ts";
import { KeywayError, printable } from "../shared/errors.ts";
import { nameOf } from "../shared/input.ts";
import { deriveId } from "../shared/route-id.ts";
import type { Item } from "./documents.ts";

/** `narrowed`: fewer requests go there than did. `widened`: more do. `dropped`: it is not carried over. `note`: to know, or to do. */
export const CHANGES = ["narrowed", "widened", "dropped"] as const;
export type FindingKind = (typeof CHANGES)[number] | "note";

export interface Finding {
  kind: FindingKind;
  item: Item;
  /** From the item's value on. */
  path: Path;
  message: string;
  /** Whether what was dropped leaves it as it is which requests go where. */
  stands?: true;
}

/** A route, and what of the input it comes from. */
export interface ImportedRoute {
  route: LiveRoute;
  item: Item;
  path: Path;
}

/** Mistakes that are told one by one. */
const SHOWN = 20;

export class Report {
  readonly findings: Finding[] = [];
  /** Kubernetes objects that the routes need, for kubectl. */
  readonly objects: KubeObject[] = [];
  /** The sources that proxies have to read keys from, in this order. */
  readonly keys: string[] = [];
  readonly #routes = new Map<string, ImportedRoute>();
  readonly #mistakes: Omit<Finding, "kind">[] = [];

  get routes(): ImportedRoute[] {
    return [...this.#routes.values()];
  }

  /** What is wrong with the input. */
  get mistakes(): readonly Omit<Finding, "kind">[] {
    return this.#mistakes;
  }

  tell(kind: FindingKind, item: Item, path: Path, message: string, more: Pick<Finding, "stands"> = {}): void {
    this.findings.push({ kind, item, path, message, ...more });
  }

  mistake(item: Item, path: Path, message: string): void {
    this.#mistakes.push({ item, path, message });
  }

  /** The item's value as the schema types it; undefined, and a mistake, for any other. */
  read<Schema extends z.ZodType>(schema: Schema, item: Item): z.output<Schema> | undefined {
    const result = schema.safeParse(item.value);
    if (result.success) return result.data;
    for (const { path, message } of diagnosticsOf(result.error, [])) this.mistake(item, path, message);
    return undefined;
  }

  /** The place of a source among those that proxies read; it is the last one where it is new. */
  source(text: string): number {
    const known = this.keys.indexOf(text);
    return known >= 0 ? known : this.keys.push(text) - 1;
  }

  /** Without an id it gets the usual one. */
  add(item: Item, path: Path, route: Omit<LiveRoute, "id"> & { id?: string }): void {
    const read = readLiveRoute(route, { now: 0, path: [], id: route.id ?? deriveId(route) });
    if (Array.isArray(read)) {
      for (const one of read) {
        const field = formatPath(one.path);
        this.mistake(item, path, `no route can be made of it: ${field === "" ? "" : `its ${field}: `}${one.message}`);
      }
      return;
    }
    const made = inOrder(fromFileEntry(read));
    const before = this.#routes.get(made.id);
    if (before === undefined) this.#routes.set(made.id, { route: made, item, path });
    else if (JSON.stringify(before.route) !== JSON.stringify(made)) {
      const whose = made.key === undefined ? made.id : `key ${made.key}`;
      this.mistake(
        item,
        path,
        `another target for ${whose} than at ${placeOf(before.item, before.path)}; which is right?`,
      );
    }
  }

  /** Throws a KeywayError with all mistakes, if there are any. */
  refuseMistakes(): void {
    if (this.#mistakes.length === 0) return;
    const lines = this.#mistakes.slice(0, SHOWN).map(({ item, path, message }) => `${placeOf(item, path)}: ${message}`);
    const { length } = this.#mistakes;
    if (length > SHOWN) lines.push(`and ${length - SHOWN} more`);
    throw new KeywayError(length === 1 ? (lines[0] ?? "") : `${length} mistakes\n  ${lines.join("\n  ")}`, {
      next: "nothing was changed; mend the input and run the command again",
    });
  }
}

/** `routes.yaml:3:5: VirtualService demo/reviews: spec.http[0]`. */
export function placeOf(item: Item, path: Path): string {
  const at = item.locate(path);
  const where = `${nameOf(item.file)}${at ? `:${at.line}:${at.col}` : ""}`;
  const title = titleOf(item);
  const field = formatPath(title === undefined ? [...item.path, ...path] : path);
  return [where, title, field].filter((part) => part !== undefined && part !== "").join(": ");
}

/** `VirtualService demo/reviews`; undefined for what is no object of Kubernetes. */
export function titleOf({ value }: Item): string | undefined {
  const { kind, metadata } = objectOf(value);
  const { name, namespace } = objectOf(metadata);
  if (typeof kind !== "string" || typeof name !== "string") return undefined;
  return printable(`${kind} ${typeof namespace === "string" ? `${namespace}/` : ""}${name}`);
}

/** The fields of a value; none of what is no object. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
