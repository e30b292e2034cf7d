import { GROUP } from "../../routes/model/route-resource.ts";
import { MAX_SHORT_NAME, shortName } from "../../shared/short-name.ts";

/** On a copy that does not follow its workload: the pod template that it was made from, as JSON. */
export const TEMPLATE_ANNOTATION = `${GROUP}/baseline-template`;

const DNS_LABEL = new RegExp(`^(?=.{1,${MAX_SHORT_NAME}}$)[a-z]([-a-z0-9]*[a-z0-9])?$`);

/** The name of a copy: that of what is copied and of its Sandbox, or as much of both as a Service's name may have and a hash. */
export function copyName(name: string, sandbox: string): string {
  const text = `${name}-${sandbox}`;
  return DNS_LABEL.test(text) ? text : shortName(text, JSON.stringify([name, sandbox]));
}
