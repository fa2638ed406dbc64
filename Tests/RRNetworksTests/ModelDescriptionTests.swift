import Foundation
import RRNetworks
import RRTensor
import Testing

@Suite("model.json")
struct ModelDescriptionTests {
    @Test("what is written is read back the same", arguments: BuiltInModel.allCases)
    func roundTrip(model: BuiltInModel) throws {
        let input = try ImageShape(channels: 3, height: 32, width: 32)
        var description = model.description(input: input, classCount: 7)
        #expect(
            try JSONDecoder().decode(ModelDescription.self, from: JSONEncoder().encode(description))
                == description)
        description = ModelDescription(
            input: input, classCount: 7,
            layers: [
                .conv2d(.init(out: 4, kernel: 3, stride: 2, padding: 1, dilation: 2, groups: 1, bias: false)),
                .leakyrelu(negativeSlope: -0.5), .gelu(), .gelu(.tanh), .silu, .softplus(beta: 2.5), .tanh,
                .sigmoid, .maxpool2d(.init(kernel: 3, stride: 2, padding: 1, ceilMode: true)),
                .avgpool2d(
                    .init(kernel: 3, stride: 1, padding: 1, ceilMode: true, countIncludePad: false)),
                .adaptiveavgpool2d(.init(height: 3, width: 2)), .globalavgpool, .flatten,
                .dropout(probability: 0.25),
                .linear(.init(out: 7, bias: false)),
            ])
        #expect(
            try JSONDecoder().decode(ModelDescription.self, from: JSONEncoder().encode(description))
                == description)
    }

    @Test("options have PyTorch's defaults")
    func defaults() throws {
        let layers = try decode(
            #"""
            [{"conv2d":{"out":20,"kernel":5}},{"maxpool2d":{"kernel":2}},{"softplus":{}},"softplus",
            "leakyrelu",{"gelu":{}},"gelu","silu",{"avgpool2d":{"kernel":3}},{"adaptiveavgpool2d":{"size":4}},
            {"adaptiveavgpool2d":{"size":[4,3]}},"globalavgpool","flatten","dropout",{"linear":{"out":9}}]
            """#
        ).layers
        #expect(
            layers == [
                .conv2d(.init(out: 20, kernel: 5, stride: 1, padding: 0, dilation: 1, groups: 1, bias: true)),
                .maxpool2d(.init(kernel: 2, stride: 2, padding: 0)), .softplus(beta: 1), .softplus(beta: 1),
                .leakyrelu(negativeSlope: 0.01), .gelu(.none), .gelu(.none), .silu,
                .avgpool2d(
                    .init(kernel: 3, stride: 3, padding: 0, ceilMode: false, countIncludePad: true)),
                .adaptiveavgpool2d(.init(height: 4, width: 4)),
                .adaptiveavgpool2d(.init(height: 4, width: 3)), .globalavgpool, .flatten,
                .dropout(probability: 0.5), .linear(.init(out: 9, bias: true)),
            ])
    }

    @Test("normalisations and residual blocks have PyTorch's defaults, and are written as they are read")
    func blocks() throws {
        let description = try decode(
            #"""
            [{"groupnorm":{"groups":4}},{"groupnorm":{"groups":2,"eps":0.5}},"layernorm",
            {"layernorm":{"eps":1}},"batchnorm2d",{"batchnorm2d":{"eps":1,"frozen":true}},
            {"residual":{"body":["relu",{"residual":{"body":["tanh"]}}],"projection":{"relu":{}}}},
            {"residual":{"body":["relu"],"projection":["tanh"]}}]
            """#)
        #expect(
            description.layers == [
                .groupnorm(.init(groups: 4, epsilon: 1e-5)), .groupnorm(.init(groups: 2, epsilon: 0.5)),
                .layernorm(epsilon: 1e-5), .layernorm(epsilon: 1), .batchnorm2d(epsilon: 1e-5),
                .batchnorm2d(epsilon: 1),
                .residual(.init(body: [.relu, .residual(.init(body: [.tanh]))], projection: [.relu])),
                .residual(.init(body: [.relu], projection: [.tanh])),
            ])
        #expect(
            try JSONDecoder().decode(ModelDescription.self, from: JSONEncoder().encode(description))
                == description)
    }

    @Test(
        "a layer that is not served or is malformed is named",
        arguments: [
            (#"["relu","rleu"]"#, "layers[1]", "rleu"),
            (#"[{"conv3d":{}}]"#, "layers[0]", "conv3d"),
            (#"["conv2d"]"#, "layers[0] (conv2d)", "out"),
            (#"[{"relu":3}]"#, "layers[0] (relu)", "object"),
            (#"[{"leakyrelu":{"negative_slope":"0.1"}}]"#, "layers[0] (leakyrelu)", "negative_slope"),
            (#"[{"leakyrelu":{"slope":0.1}}]"#, "layers[0] (leakyrelu)", "it takes negative_slope"),
            (#"[{"gelu":{"approximate":"erf"}}]"#, "layers[0] (gelu)", "\"none\" or \"tanh\""),
            (#"[{"gelu":{"approximate":true}}]"#, "layers[0] (gelu)", "approximate"),
            (#"[{"silu":{"inplace":true}}]"#, "layers[0] (silu)", "inplace"),
            (#"[{"conv2d":{"out":2}}]"#, "layers[0] (conv2d)", "kernel"),
            (#"[{"conv2d":{"out":2,"kernel":0}}]"#, "layers[0] (conv2d)", "kernel"),
            (#"[{"conv2d":{"out":"two","kernel":1}}]"#, "layers[0] (conv2d)", "out"),
            (#"[{"conv2d":{"out":2,"kernel":1,"padding":-1}}]"#, "layers[0] (conv2d)", "padding"),
            (
                #"[{"conv2d":{"out":2,"kernel":1,"padding_mode":"reflect"}}]"#, "layers[0] (conv2d)",
                "padding_mode"
            ),
            (#"[{"linear":{"out":2,"bias":3}}]"#, "layers[0] (linear)", "bias"),
            (#"[{"maxpool2d":{"kernel":2,"ceil_mode":1.5}}]"#, "layers[0] (maxpool2d)", "ceil_mode"),
            (
                #"[{"maxpool2d":{"kernel":2,"count_include_pad":true}}]"#, "layers[0] (maxpool2d)",
                "count_include_pad"
            ),
            (#"[{"avgpool2d":{"stride":2}}]"#, "layers[0] (avgpool2d)", "kernel"),
            (
                #"[{"avgpool2d":{"kernel":2,"divisor_override":0}}]"#, "layers[0] (avgpool2d)",
                "divisor_override"
            ),
            (#"[{"adaptiveavgpool2d":{}}]"#, "layers[0] (adaptiveavgpool2d)", "size"),
            (#"[{"adaptiveavgpool2d":{"size":0}}]"#, "layers[0] (adaptiveavgpool2d)", "from 1"),
            (
                #"[{"adaptiveavgpool2d":{"size":[2,2,2]}}]"#, "layers[0] (adaptiveavgpool2d)",
                "[height, width]"
            ),
            (#"[{"adaptiveavgpool2d":{"size":[2,-1]}}]"#, "layers[0] (adaptiveavgpool2d)", "[height, width]"),
            (#"[{"dropout":{"p":1}}]"#, "layers[0] (dropout)", "below 1"),
            (#"[{"dropout":{"p":-0.5}}]"#, "layers[0] (dropout)", "below 1"),
            (#"[{"dropout":{"p":"half"}}]"#, "layers[0] (dropout)", "below 1"),
            (#"[{"dropout":{"inplace":true}}]"#, "layers[0] (dropout)", "inplace"),
            (#"[{"globalavgpool":{"size":1}}]"#, "layers[0] (globalavgpool)", "it takes none"),
            (#"[{"softplus":{"beta":0}}]"#, "layers[0] (softplus)", "beta"),
            (#"[{"relu":{"inplace":true}}]"#, "layers[0] (relu)", "inplace"),
            (#"[{"relu":{},"flatten":{}}]"#, "layers[0]", "only key"),
        ])
    func malformed(layers: String, location: String, hint: String) {
        let error = #expect(throws: NetworkError.self) { try decode(layers) }
        #expect(error?.location == location)
        #expect(error?.message.contains(hint) == true)
    }

    @Test(
        "another format, a newer version and an impossible input are refused",
        arguments: [
            (#"{"format":"other","format_version":"1.0","input":[1,2,2],"classes":2,"layers":[]}"#, "format"),
            (
                #"{"format":"rrdata.model","format_version":"2.0","input":[1,2,2],"classes":2,"layers":[]}"#,
                "format_version"
            ),
            (
                #"{"format":"rrdata.model","format_version":"1.0","input":[2,2],"classes":2,"layers":[]}"#,
                "input"
            ),
            (
                #"{"format":"rrdata.model","format_version":"1.0","input":[0,2,2],"classes":2,"layers":[]}"#,
                "input"
            ),
        ])
    func header(text: String, location: String) {
        let error = #expect(throws: NetworkError.self) {
            try JSONDecoder().decode(ModelDescription.self, from: Data(text.utf8))
        }
        #expect(error?.code == .malformedModel)
        #expect(error?.location == location)
    }

    private func decode(_ layers: String) throws -> ModelDescription {
        let text =
            #"{"format":"rrdata.model","format_version":"1.0","input":[1,28,28],"classes":9,"layers":\#(layers)}"#
        return try JSONDecoder().decode(ModelDescription.self, from: Data(text.utf8))
    }
}
