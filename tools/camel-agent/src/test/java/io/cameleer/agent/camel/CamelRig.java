package io.cameleer.agent.camel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import com.fasterxml.jackson.core.JsonGenerator;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.OptionalIdentifiedDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.junit.jupiter.api.AfterEach;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.send.OutgoingRecord;
import io.cameleer.agent.send.Timing;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.RecordingRules;

/** A real Camel context, hooked the way the agent hooks it, on the Camel version of the class path. */
abstract class CamelRig {

    AgentRuntime runtime;
    CamelContext camel;
    ProducerTemplate template;
    private Closeable hook;

    interface Routes {
        void define(RouteBuilder builder) throws Exception;
    }

    void start(RecordingRules rules, Limits limits, Routes routes) throws Exception {
        runtime = new AgentRuntime(null, rules, limits, Timing.defaults());
        hook = CamelHook.open(runtime);
        camel = new DefaultCamelContext();
        add(routes);
        camel.getShutdownStrategy().setTimeout(5);
        camel.start();
        template = camel.createProducerTemplate();
    }

    /** With every processor recorded, and of its messages what {@code capture} says. */
    void start(CaptureMode capture, Routes routes) throws Exception {
        start(new RecordingRules(EngineLevel.COMPLETE, capture, 1, SensitiveKeys.defaults()), Limits.defaults(), routes);
    }

    void add(Routes routes) throws Exception {
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() throws Exception {
                routes.define(this);
            }
        });
    }

    @AfterEach
    void stop() throws Exception {
        // first of all: a hook that stays open would watch the contexts of the other tests
        hook.close();
        if (template != null) {
            template.stop();
        }
        camel.stop();
        runtime.telemetry().logs().close();
        assertEquals(0, runtime.counters().get("agent_error"));
    }

    /** What waits of one kind, as the server would see it. */
    List<Map<String, Object>> told(String kind) throws Exception {
        List<Map<String, Object>> all = new ArrayList<>();
        for (OutgoingRecord one : runtime.telemetry().queue(kind).take(10_000, Long.MAX_VALUE)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
                one.write(json, SensitiveKeys.defaults());
            }
            all.add(JsonText.object(out.toByteArray()));
        }
        return all;
    }

    /** The executions by route id, once that many have ended. */
    Map<String, Execution> executions(int count) throws InterruptedException {
        return all(count).stream().collect(Collectors.toMap(e -> e.routeId, e -> e));
    }

    /** That many executions, as they ended, and no more of them. */
    List<Execution> all(int count) throws InterruptedException {
        long deadline = System.nanoTime() + 20_000_000_000L;
        List<Execution> taken = new ArrayList<>();
        while (taken.size() < count) {
            assertTrue(System.nanoTime() < deadline, "only " + taken.size() + " of " + count + " executions ended within 20 s");
            taken.addAll(runtime.queue().take(100, Integer.MAX_VALUE, 50));
        }
        assertEquals(count, taken.size() + runtime.queue().size());
        return taken;
    }

    /** One line a record: {@code seq(parent) type id status}. */
    static List<String> lines(Execution execution) {
        return execution.processors().stream()
            .map(r -> r.seq + "(" + (r.parent == null ? 0 : r.parent.seq) + ") " + r.processorType + " " + r.processorId + " " + r.status)
            .toList();
    }

    static ProcessorRecord record(Execution execution, int seq) {
        return execution.processors().get(seq - 1);
    }

    // Camel's own id() of these blocks has another signature in later versions; the classes here run on both.

    static <T extends OptionalIdentifiedDefinition<?>> T named(T node, String id) {
        node.setId(id);
        return node;
    }

    static void last(ProcessorDefinition<?> block, String id) {
        block.getOutputs().get(block.getOutputs().size() - 1).setId(id);
    }

    static void fail(Exchange exchange) {
        throw new IllegalArgumentException("not like this");
    }
}
