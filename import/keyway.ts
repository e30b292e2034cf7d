// Route resources of Keyway, as `kubectl get routes.keyway.dev -o yaml` prints them.
import { MANAGED_BY, OWNER_ANNOTATION } from "../routes/model/route-resource.ts";
import type { Item } from "./documents.ts";
import { metadata, object } from "./fields.ts";
import type { Report } from "./report.ts";

const schema = object({ metadata, spec: object({}) });

export function importResource(report: Report, item: Item): void {
  const value = report.read(schema, item);
  if (value === undefined) return;
  const { name, labels = {}, annotations } = value.metadata;
  const { [MANAGED_BY]: _, ...own } = labels;
  report.add(item, ["spec"], {
    ...value.spec,
    id: name,
    ...(Object.keys(own).length > 0 && { labels: own }),
    ...(annotations?.[OWNER_ANNOTATION] != null && { owner: annotations[OWNER_ANNOTATION] }),
  } as never);
}
