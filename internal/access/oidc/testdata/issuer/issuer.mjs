// A real OpenID provider for the tests: it prints its address once it listens, and ends when its input does.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const people = {
  ada: { email: 'ada@example.com', email_verified: true, name: 'Ada', groups: ['builders', 'readers'] },
  eve: { email: 'bob@example.com', email_verified: false, name: 'Eve' },
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'blueberry', client_secret: 'secret of the client', redirect_uris: [process.env.REDIRECT_URI], response_types: ['code'] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    pkce: { required: () => true },
    cookies: { keys: ['a key of a test'] },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
