// Reads {config, to, type, payload} a line and sends that mail with Logto's connector;
// prints what became of it. AWS_ENDPOINT_URL_SESV2 says where SES is.
import { createInterface } from 'node:readline';
import createConnector from '@logto/connector-aws-ses';

for await (const line of createInterface({ input: process.stdin })) {
  const { config, ...mail } = JSON.parse(line);
  const connector = await createConnector({ getConfig: async () => config });
  let outcome;
  try {
    outcome = { id: await connector.sendMessage(mail) };
  } catch (error) {
    const { code, data } = error; // of a ConnectorError
    outcome = { code: code ?? 'unknown', message: data?.issues?.[0]?.message ?? data?.message ?? error.message };
  }
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
