package io.cameleer.agent.mask;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

/**
 * Replaces the values of sensitive members in a JSON text, and of sensitive elements and attributes in an XML text. Everything else
 * stays as it was written, white space included. A text that ends early (because it was cut) or is not well-formed is masked by
 * pattern from the place where the parser gave up.
 */
public final class BodyMasker {

    private static final Pattern JSON_MEMBER =
        Pattern.compile("\"((?:[^\"\\\\]|\\\\.){1,256})\"\\s*:\\s*(\"(?:[^\"\\\\]|\\\\.)*+\"?|[^\\s,}\\]\"{\\[][^,}\\]]*+)");
    private static final Pattern XML_ELEMENT =
        Pattern.compile("<([A-Za-z_][\\w.-]{0,127}:)?([A-Za-z_][\\w.-]{0,127})((?:\\s[^<>]*+)?)(?<!/)>([^<]++|<!\\[CDATA\\[)");
    private static final Pattern XML_ATTRIBUTE =
        Pattern.compile("([A-Za-z_][\\w.-]{0,127}:)?([A-Za-z_][\\w.-]{0,127})\\s*=\\s*(\"[^\"<]*+\"?|'[^'<]*+'?)");
    private static final JsonFactory JSON = new JsonFactory();

    private BodyMasker() {
    }

    public static String mask(String body, SensitiveKeys keys) {
        int first = firstVisible(body);
        if (first < 0) {
            return body;
        }
        char start = body.charAt(first);
        if (start == '{' || start == '[') {
            return maskJson(body, keys);
        }
        return start == '<' ? maskXml(body, keys) : body;
    }

    private static int firstVisible(String body) {
        for (int i = 0; i < body.length(); i++) {
            char c = body.charAt(i);
            if (c > ' ' && c != '\uFEFF') {
                return i;
            }
        }
        return -1;
    }

    private static String maskJson(String body, SensitiveKeys keys) {
        StringBuilder out = null;
        int copied = 0;
        int sure = 0;
        try (JsonParser parser = JSON.createParser(body)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token != JsonToken.FIELD_NAME || !keys.matches(parser.currentName())) {
                    // what lies before a token's start was read whole
                    sure = (int) parser.currentTokenLocation().getCharOffset();
                    continue;
                }
                sure = (int) parser.currentTokenLocation().getCharOffset();
                JsonToken value = parser.nextToken();
                int from = (int) parser.currentTokenLocation().getCharOffset();
                out = out == null ? new StringBuilder(body.length()) : out;
                out.append(body, copied, from).append('"').append(SensitiveKeys.MASK).append('"');
                copied = body.length();
                if (value != null && value.isStructStart()) {
                    parser.skipChildren();
                } else {
                    parser.finishToken();
                }
                copied = (int) parser.currentLocation().getCharOffset();
                sure = copied;
            }
        } catch (IOException | RuntimeException e) {
            String head = out == null ? body.substring(0, sure) : out + body.substring(copied, Math.max(copied, sure));
            return head + maskJsonByPattern(body.substring(Math.max(copied, sure)), keys);
        }
        return out == null ? body : out.append(body, copied, body.length()).toString();
    }

    private static String maskJsonByPattern(String text, SensitiveKeys keys) {
        Matcher matcher = JSON_MEMBER.matcher(text);
        StringBuilder out = new StringBuilder(text.length());
        int copied = 0;
        while (matcher.find()) {
            if (keys.matches(matcher.group(1))) {
                out.append(text, copied, matcher.start(2)).append('"').append(SensitiveKeys.MASK).append('"');
                copied = matcher.end(2);
            }
        }
        return out.append(text, copied, text.length()).toString();
    }

    private static String maskXml(String text, SensitiveKeys keys) {
        StringBuilder elements = new StringBuilder(text.length());
        Matcher element = XML_ELEMENT.matcher(text);
        int copied = 0;
        while (element.find()) {
            if (element.start() < copied || !keys.matches(element.group(2))) {
                continue;
            }
            int end = element.end(4);
            if (element.group(4).startsWith("<!")) {
                int close = text.indexOf("]]>", end);
                end = close < 0 ? text.length() : close + 3;
            } else if (element.group(4).isBlank()) {
                // children: the whole element goes
                int close = text.indexOf("</" + (element.group(1) == null ? "" : element.group(1)) + element.group(2), end);
                end = close < 0 ? text.length() : close;
            }
            elements.append(text, copied, element.start(4)).append(SensitiveKeys.MASK);
            copied = end;
        }
        elements.append(text, copied, text.length());
        return maskXmlAttributes(elements.toString(), keys);
    }

    private static String maskXmlAttributes(String text, SensitiveKeys keys) {
        StringBuilder out = new StringBuilder(text.length());
        Matcher attribute = XML_ATTRIBUTE.matcher(text);
        int copied = 0;
        while (attribute.find()) {
            if (keys.matches(attribute.group(2))) {
                char quote = attribute.group(3).charAt(0);
                out.append(text, copied, attribute.start(3)).append(quote).append(SensitiveKeys.MASK).append(quote);
                copied = attribute.end(3);
            }
        }
        return out.append(text, copied, text.length()).toString();
    }
}
