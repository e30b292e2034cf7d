import type { SandboxResource } from "../../routes/model/sandbox.ts";
import type { SandboxFilter } from "../cli/sandbox-flags.ts";

/** Whether a Sandbox is one of those that are meant. */
export function chosenBy({ key, label = [] }: SandboxFilter): (sandbox: SandboxResource) => boolean {
  return ({ metadata, spec }) => {
    const { name, labels = {} } = metadata;
    const hasLabels = label.every((text) => {
      const [wanted = "", value] = text.split(/=(.*)/s);
      return value === undefined ? wanted in labels : labels[wanted] === value;
    });
    return hasLabels && (key === undefined || (spec.key ?? name) === key);
  };
}
