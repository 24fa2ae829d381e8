package io.cameleer.agent.camel;

import java.util.Map;

import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultEndpoint;

/** A component that only receives, as an HTTP server does: nothing can be sent to its endpoints. */
final class InOnly extends DefaultComponent {

    @Override
    protected Endpoint createEndpoint(String uri, String path, Map<String, Object> parameters) {
        return new DefaultEndpoint(uri, this) {
            @Override
            public Producer createProducer() {
                throw new UnsupportedOperationException("only receives");
            }

            @Override
            public Consumer createConsumer(Processor processor) throws Exception {
                DefaultConsumer consumer = new DefaultConsumer(this, processor);
                configureConsumer(consumer);
                return consumer;
            }
        };
    }
}
