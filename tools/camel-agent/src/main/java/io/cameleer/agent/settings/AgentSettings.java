package io.cameleer.agent.settings;

import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

import io.cameleer.agent.mask.SensitiveKeys;

/** The agent's settings, read once at the start. A system property wins over the environment variable of the same meaning. */
public final class AgentSettings {

    private final String apiKey;
    private final URI server;
    private final String application;
    private final String environment;
    private final String instanceId;
    private final RecordingRules rules;
    private final Limits limits;
    private final Permissions permissions;
    private final boolean compress;

    private AgentSettings(Source source) {
        this.apiKey = source.text("CAMELEER_API_KEY", source.text("CAMELEER_AUTH_TOKEN", ""));
        this.server = serverUri(source.text("CAMELEER_AGENT_SERVERURL", ""));
        this.application = source.text("CAMELEER_AGENT_APPLICATION", defaultApplication());
        this.environment = source.text("CAMELEER_AGENT_ENVIRONMENT", "default");
        String instance = source.text("CAMELEER_AGENT_INSTANCEID", "");
        this.instanceId = instance.isEmpty() ? application + "-" + hostName() : instance;
        this.rules = new RecordingRules(
            source.oneOf("CAMELEER_AGENT_ENGINELEVEL", EngineLevel.class, EngineLevel.COMPLETE),
            source.oneOf("CAMELEER_AGENT_PAYLOADCAPTUREMODE", CaptureMode.class, CaptureMode.BOTH),
            source.number("CAMELEER_AGENT_SAMPLINGRATE", 1.0, 0.0, 1.0),
            SensitiveKeys.defaults().plus(source.list("CAMELEER_AGENT_SENSITIVEKEYS")));
        Limits d = Limits.defaults();
        this.limits = new Limits(
            source.integer("CAMELEER_AGENT_MAXBODYSIZE", d.body(), 0, 16 << 20),
            source.integer("CAMELEER_AGENT_MAXHEADERSIZE", d.header(), 0, 1 << 20),
            source.integer("CAMELEER_AGENT_MAXHEADERS", d.headers(), 0, 10_000),
            source.integer("CAMELEER_AGENT_MAXSTACKTRACESIZE", d.stackTrace(), 0, 1 << 20),
            source.integer("CAMELEER_AGENT_MAXEXECUTIONSIZE", d.execution(), 0, 64 << 20),
            source.integer("CAMELEER_AGENT_MAXPROCESSORS", d.processors(), 1, 100_000),
            source.integer("CAMELEER_AGENT_QUEUEEXECUTIONS", d.queueExecutions(), 1, 1_000_000),
            source.integer("CAMELEER_AGENT_QUEUEBYTES", (int) d.queueBytes(), 1 << 10, Integer.MAX_VALUE),
            source.integer("CAMELEER_AGENT_MAXINFLIGHT", d.inFlight(), 1, 1_000_000),
            source.integer("CAMELEER_AGENT_RUNNINGAFTERMS", (int) d.runningAfterMs(), 0, 86_400_000));
        this.permissions = new Permissions(source.flag("CAMELEER_AGENT_ROUTECONTROL_ENABLED", true),
            source.flag("CAMELEER_AGENT_REPLAY_ENABLED", true));
        Compression compression = source.oneOf("CAMELEER_AGENT_COMPRESSION", Compression.class, Compression.AUTO);
        this.compress = compression == Compression.GZIP || compression == Compression.AUTO && !onThisMachine(server);
    }

    /** Reads the environment and the system properties of this JVM. @throws IllegalArgumentException names a wrong setting and its rule */
    public static AgentSettings fromJvm() {
        return read(System::getProperty, System::getenv);
    }

    public static AgentSettings read(UnaryOperator<String> properties, UnaryOperator<String> environment) {
        return new AgentSettings(new Source(properties, environment));
    }

    /** What is missing before the agent can work, or an empty text. */
    public String missing() {
        if (apiKey.isEmpty()) {
            return "CAMELEER_API_KEY";
        }
        return server == null ? "CAMELEER_AGENT_SERVERURL" : "";
    }

    public String apiKey() {
        return apiKey;
    }

    public URI server() {
        return server;
    }

    public String application() {
        return application;
    }

    public String environment() {
        return environment;
    }

    public String instanceId() {
        return instanceId;
    }

    public RecordingRules rules() {
        return rules;
    }

    public Limits limits() {
        return limits;
    }

    public Permissions permissions() {
        return permissions;
    }

    /** Whether requests have their bodies compressed. */
    public boolean compress() {
        return compress;
    }

    private static boolean onThisMachine(URI server) {
        String host = server == null ? "" : server.getHost();
        return host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]");
    }

    private static URI serverUri(String text) {
        if (text.isEmpty()) {
            return null;
        }
        try {
            URI uri = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
            if (("http".equals(uri.getScheme()) || "https".equals(uri.getScheme())) && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // answered below with the rule
        }
        throw new IllegalArgumentException("CAMELEER_AGENT_SERVERURL must be an http or https address");
    }

    /** The name of what the JVM runs: the jar's or the main class's last part, in lower case, letters, digits and hyphens. */
    private static String defaultApplication() {
        String command = System.getProperty("spring.application.name", System.getProperty("sun.java.command", "application"));
        String first = command.strip().split("\\s+")[0];
        String name = first.substring(first.replace('\\', '/').lastIndexOf('/') + 1);
        if (name.endsWith(".jar")) {
            name = name.substring(0, name.length() - 4);
        } else {
            name = name.substring(name.lastIndexOf('.') + 1);
        }
        String slug = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
        return slug.isEmpty() ? "application" : slug.substring(0, Math.min(slug.length(), 64));
    }

    private static String hostName() {
        String name = System.getenv("HOSTNAME");
        if (name != null && !name.isBlank()) {
            return name.strip();
        }
        try {
            return Files.readString(Path.of("/etc/hostname")).strip();
        } catch (Exception e) {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (Exception unknown) {
                return "localhost";
            }
        }
    }

    /** Where a setting comes from, and the rule it is held to. */
    private record Source(UnaryOperator<String> properties, UnaryOperator<String> environment) {

        String text(String name, String fallback) {
            String value = properties.apply(name.toLowerCase(Locale.ROOT).replace('_', '.'));
            if (value == null || value.isBlank()) {
                value = environment.apply(name);
            }
            return value == null || value.isBlank() ? fallback : value.strip();
        }

        List<String> list(String name) {
            List<String> values = new ArrayList<>();
            for (String part : text(name, "").split(",")) {
                if (!part.isBlank()) {
                    values.add(part.strip());
                }
            }
            return values;
        }

        int integer(String name, int fallback, int least, int most) {
            String value = text(name, "");
            if (value.isEmpty()) {
                return fallback;
            }
            try {
                int number = Integer.parseInt(value);
                if (number >= least && number <= most) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // answered below with the rule
            }
            throw new IllegalArgumentException(name + " must be a whole number from " + least + " to " + most);
        }

        boolean flag(String name, boolean fallback) {
            String value = text(name, Boolean.toString(fallback)).toLowerCase(Locale.ROOT);
            if (value.equals("true") || value.equals("false")) {
                return value.equals("true");
            }
            throw new IllegalArgumentException(name + " must be true or false");
        }

        double number(String name, double fallback, double least, double most) {
            String value = text(name, "");
            if (value.isEmpty()) {
                return fallback;
            }
            try {
                double number = Double.parseDouble(value);
                if (number >= least && number <= most) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // answered below with the rule
            }
            throw new IllegalArgumentException(name + " must be a number from " + least + " to " + most);
        }

        <E extends Enum<E>> E oneOf(String name, Class<E> type, E fallback) {
            String value = text(name, "");
            if (value.isEmpty()) {
                return fallback;
            }
            try {
                return Enum.valueOf(type, value.toUpperCase(Locale.ROOT));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(name + " must be one of " + List.of(type.getEnumConstants()));
            }
        }
    }
}
