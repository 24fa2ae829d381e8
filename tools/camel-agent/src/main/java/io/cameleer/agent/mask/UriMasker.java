package io.cameleer.agent.mask;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Takes the secrets out of an endpoint address: the password before the host, and query values whose name speaks of a secret. */
public final class UriMasker {

    private static final Pattern USER_INFO = Pattern.compile("(//[^/?#@:\\s]*):[^/?#\\s]*@");
    private static final Pattern QUERY = Pattern.compile("([?&])([^=&#]+)=(RAW[({].*?[)}](?=&|$)|[^&#]*)");
    private static final SensitiveKeys NAMES = SensitiveKeys.defaults().plus(java.util.List.of(
        "*password*", "*passwd*", "*passphrase*", "*pwd*", "*secret*", "*token*", "*credential*", "*apikey*", "*api-key*", "*api_key*",
        "*accesskey*", "*access-key*", "*access_key*", "*privatekey*", "*private-key*", "*private_key*", "*sas*", "*signature*",
        "*connectionstring*", "userinfo", "username", "user"));

    private UriMasker() {
    }

    /** Whether an option of that name holds a secret. */
    public static boolean secret(String name, SensitiveKeys keys) {
        return NAMES.matches(name) || keys.matches(name);
    }

    public static String mask(String uri, SensitiveKeys keys) {
        String text = USER_INFO.matcher(uri).replaceAll("$1:xxxxxx@");
        Matcher query = QUERY.matcher(text);
        StringBuilder out = new StringBuilder(text.length());
        while (query.find()) {
            boolean secret = secret(query.group(2), keys);
            query.appendReplacement(out, Matcher.quoteReplacement(secret
                ? query.group(1) + query.group(2) + "=xxxxxx" : query.group()));
        }
        return query.appendTail(out).toString();
    }
}
