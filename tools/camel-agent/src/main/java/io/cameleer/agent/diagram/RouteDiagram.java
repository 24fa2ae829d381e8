package io.cameleer.agent.diagram;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.OutgoingRecord;

/**
 * A graph in its wire form. The hash is over exactly this text without the hash, whose members have a fixed order, so that the same
 * route gives the same hash in every JVM.
 */
public final class RouteDiagram implements OutgoingRecord {

    /** The version of the form of the graph. */
    private static final String VERSION = "1";

    private final String json;
    private final String hash;

    private RouteDiagram(String json, String hash) {
        this.json = json;
        this.hash = hash;
    }

    public static RouteDiagram of(RouteGraph graph) {
        String json = text(graph);
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(json.getBytes(StandardCharsets.UTF_8));
            return new RouteDiagram(json, HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    public String hash() {
        return hash;
    }

    /** What the hash is over. */
    public String json() {
        return json;
    }

    @Override
    public int size() {
        return 256 + json.length();
    }

    @Override
    public void write(JsonGenerator out, SensitiveKeys keys) throws IOException {
        out.writeRawValue(json.substring(0, json.length() - 1) + ",\"diagramHash\":\"" + hash + "\"}");
    }

    private static String text(RouteGraph graph) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = JsonText.FACTORY.createGenerator(text)) {
            out.writeStartObject();
            out.writeStringField("routeId", graph.routeId());
            out.writeStringField("version", VERSION);
            optional(out, "description", graph.description());
            nodes(out, "nodes", graph.nodes());
            out.writeArrayFieldStart("edges");
            for (RouteGraph.Edge edge : graph.edges()) {
                out.writeStartObject();
                out.writeStringField("from", edge.from());
                out.writeStringField("to", edge.to());
                out.writeStringField("kind", edge.kind());
                out.writeEndObject();
            }
            out.writeEndArray();
            if (graph.source() != null) {
                out.writeStringField("source", graph.source());
                out.writeStringField("sourceFormat", "xml");
            }
            out.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return text.toString();
    }

    private static void nodes(JsonGenerator out, String member, List<RouteGraph.Node> nodes) throws IOException {
        out.writeArrayFieldStart(member);
        for (RouteGraph.Node node : nodes) {
            out.writeStartObject();
            out.writeStringField("id", node.id());
            out.writeStringField("type", node.type());
            optional(out, "label", node.label());
            optional(out, "uri", node.uri());
            if (!node.children().isEmpty()) {
                nodes(out, "children", node.children());
            }
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private static void optional(JsonGenerator out, String name, String value) throws IOException {
        if (value != null) {
            out.writeStringField(name, value);
        }
    }
}
