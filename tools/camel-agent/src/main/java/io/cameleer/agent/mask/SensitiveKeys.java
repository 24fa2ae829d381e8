package io.cameleer.agent.mask;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The names whose values never leave the application. Case does not count: exact names first, then patterns with {@code *} and {@code ?}. */
public final class SensitiveKeys {

    public static final String MASK = "***";

    private static final List<String> DEFAULTS =
        List.of("Authorization", "Cookie", "Set-Cookie", "X-API-Key", "X-Auth-Token", "Proxy-Authorization");

    private final Set<String> exact;
    private final List<String> globs;

    private SensitiveKeys(Set<String> exact, List<String> globs) {
        this.exact = exact;
        this.globs = globs;
    }

    public static SensitiveKeys defaults() {
        return new SensitiveKeys(Set.of(), List.of()).plus(DEFAULTS);
    }

    public SensitiveKeys plus(Collection<String> names) {
        Set<String> allExact = new HashSet<>(exact);
        List<String> allGlobs = new ArrayList<>(globs);
        for (String name : names) {
            String key = name.strip().toLowerCase(Locale.ROOT);
            if (key.isEmpty()) {
                continue;
            }
            if (key.indexOf('*') < 0 && key.indexOf('?') < 0) {
                allExact.add(key);
            } else if (!allGlobs.contains(key)) {
                allGlobs.add(key);
            }
        }
        return new SensitiveKeys(allExact, allGlobs);
    }

    public boolean matches(String name) {
        String key = name.toLowerCase(Locale.ROOT);
        if (exact.contains(key)) {
            return true;
        }
        for (String glob : globs) {
            if (globMatches(glob, key)) {
                return true;
            }
        }
        return false;
    }

    /** Linear in the text for each star: a mismatch returns to the last star only. */
    private static boolean globMatches(String glob, String text) {
        int g = 0;
        int t = 0;
        int star = -1;
        int mark = 0;
        while (t < text.length()) {
            if (g < glob.length() && (glob.charAt(g) == '?' || glob.charAt(g) == text.charAt(t)) && glob.charAt(g) != '*') {
                g++;
                t++;
            } else if (g < glob.length() && glob.charAt(g) == '*') {
                star = g++;
                mark = t;
            } else if (star >= 0) {
                g = star + 1;
                t = ++mark;
            } else {
                return false;
            }
        }
        while (g < glob.length() && glob.charAt(g) == '*') {
            g++;
        }
        return g == glob.length();
    }
}
