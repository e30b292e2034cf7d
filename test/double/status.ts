/** A refusal in the API's own form: a `Status` object with its HTTP code. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: object | undefined;

  constructor(code: number, reason: string, message: string, details?: object) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  body(): object {
    const { code, reason, message, details } = this;
    return { kind: "Status", apiVersion: "v1", status: "Failure", message, reason, code, ...(details && { details }) };
  }
}
