package io.cameleer.agent.command;

import java.io.InputStream;
import java.util.Map;

import io.cameleer.agent.send.Unavailable;

/** What the command side needs of the agent's standing with the server. Safe for several threads. */
public interface ServerLink {

    /** @param token with which it was opened */
    record OpenStream(InputStream in, String token) {
    }

    /** Opens the command stream. The caller closes it. @param lastEventId may be null */
    OpenStream openStream(String lastEventId) throws Unavailable, InterruptedException;

    /** The server asked for another token than this: refreshes it, else registers again. */
    void renew(String token) throws Unavailable, InterruptedException;

    void registerAgain() throws Unavailable, InterruptedException;

    /** Null before the first registration. */
    ServerTrust trust();

    /** The server's clock as it was last told. */
    long serverNowMillis();

    /** @return the status of the answer */
    int acknowledge(String commandId, byte[] body) throws Unavailable, InterruptedException;

    /** The configuration that is live for this agent's application; empty when the server has no such thing. */
    Map<String, Object> readConfig() throws Unavailable, InterruptedException;
}
