// Settings that are no mistake and yet do what hardly anybody wants where they are installed.
import { type Edge, removesTraces } from "../../routes/model/edge.ts";
import { type Installation, remembersTraces } from "../manifests/installation.ts";

/** What is to be told of an installation's `edge`, each a sentence. Inside of a mesh the keys come from its own services, which do not sign them. */
export function remarksOnEdge({ config, mode }: Pick<Installation, "config" | "mode">): string[] {
  const edge = config.edge as Edge | undefined;
  if (edge === undefined || mode === "gateway") return [];
  const remarks: string[] = [];
  if (edge.accept !== "any") {
    const kept = edge.accept === "none" ? "takes every key off" : "takes off every key that is not signed";
    remarks.push(
      `edge.accept ${edge.accept} ${kept}, also those of your own services; it is for --mode gateway, and elsewhere \`accept: any\` is usual`,
    );
  }
  if (removesTraces(edge)) {
    const said =
      edge.traces === undefined ? `edge.accept ${edge.accept} without \`traces: keep\`` : "edge.traces remove";
    const memory = remembersTraces({ config })
      ? "so their traces end here, and `trace` among the keys gives keys back by x-request-id alone"
      : "so their traces end here";
    remarks.push(
      `${said} takes the ids of traces off, all but x-request-id, also those of your own services, ${memory}; say \`traces: keep\``,
    );
  }
  return remarks;
}
