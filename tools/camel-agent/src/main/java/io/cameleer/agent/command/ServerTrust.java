package io.cameleer.agent.command;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/**
 * What the registration said about who may command this agent.
 *
 * @param key null when the server gave none that can be used: then no command is obeyed
 */
public record ServerTrust(String tenantId, String environment, String agentId, String keyId, PublicKey key) {

    /** @param spki base64 of the SubjectPublicKeyInfo of an Ed25519 key */
    public static ServerTrust of(String tenantId, String environment, String agentId, String keyId, String spki) {
        PublicKey key = null;
        try {
            key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(Base64.getDecoder().decode(spki)));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            // answered by a key that is missing
        }
        return new ServerTrust(tenantId, environment, agentId, keyId, key);
    }
}
