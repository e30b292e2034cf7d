// The checks, from the data that they are.
import { afterInstallation, ofCluster, ofInstallation, ofRemains } from "../../installer/check/checks.ts";
import { code, page, table } from "./markdown.ts";

export function checkReference(): string {
  const ofRemainsAlone = ofRemains.filter((check) => !ofCluster.includes(check));
  const rows = [...afterInstallation, ...ofRemainsAlone].map((check) => [
    code(check.id),
    check.description,
    check.severity,
    check.needs?.map(code).join(", ") ?? "",
    check.hint,
  ]);
  const ids = (checks: readonly { id: string }[]) => checks.map(({ id }) => code(id)).join(", ");
  const rest = ofInstallation.filter((check) => !ofCluster.includes(check));
  return page(
    "Checks",
    `\`keyway check\` makes them in this order. Without an installation it makes ${ids(ofCluster)}. For one that is about to be it makes ` +
      `also ${ids(rest)}, and so do \`install\` and \`upgrade\` before they change anything. The remaining ones look at what is installed; ` +
      `where only an EnvoyFilter is left of it, ${ids(ofRemainsAlone)} is made in their place.`,
    "A `fatal` check that does not hold gives exit code 1 and stops an installation, unless `--ignore ID` says otherwise; the others warn. " +
      "A check is skipped where one that it needs does not hold and is not ignored; what was skipped is printed.",
    table(["id", "what holds", "weight", "needs", "what to do when it does not hold"], rows),
  );
}
