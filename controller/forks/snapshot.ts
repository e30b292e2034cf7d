import type { BaselineTemplate } from "./baseline.ts";
import { TEMPLATE_ANNOTATION } from "./names.ts";

/** All annotations of an object together may have 256 KiB. */
export const MAX_REMEMBERED = 200_000; // bytes

export function remember(template: BaselineTemplate): Record<string, string> {
  return { [TEMPLATE_ANNOTATION]: JSON.stringify(template) };
}

/** The template that a copy was made from; undefined where it does not say. */
export function recall(annotations: Record<string, string> = {}): BaselineTemplate | undefined {
  const text = annotations[TEMPLATE_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as BaselineTemplate;
  } catch {
    // Somebody has written into it: the copy is made anew.
    return undefined;
  }
}
