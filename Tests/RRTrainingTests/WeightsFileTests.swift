import Foundation
import RRFormats
import RRNetworks
import RRSchemas
import RRTensor
import RRTraining
import TestSupport
import Testing

@Suite("Weights and models from PyTorch")
struct WeightsFileTests {
    @Test("the count of batches beside a batch normalisation's statistics is passed over")
    func batchCount() throws {
        let folder = try TemporaryFolder()
        let network = try Network<Double>(
            ModelDescription(
                input: ImageShape(channels: 1, height: 1, width: 2), classCount: 2,
                layers: [.batchnorm2d(), .flatten]))
        // As safetensors.torch.save_file writes the state_dict: the count is an int64 without dimensions.
        let names = ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"]
        var header = #"{"__metadata__":{"format":"pt"}"#
        var offset = 0
        var bytes: [UInt8] = []
        for (number, name) in names.enumerated() {
            let isCount = name == "num_batches_tracked"
            let value =
                isCount
                ? withUnsafeBytes(of: Int64(7)) { Array($0) }
                : withUnsafeBytes(of: Float(number) + 1) { Array($0) }
            bytes += value
            header +=
                #","0.\#(name)":{"dtype":"\#(isCount ? "I64" : "F32")","shape":\#(isCount ? "[]" : "[1]"),"#
            header += #""data_offsets":[\#(offset),\#(offset + value.count)]}"#
            offset += value.count
        }
        header += "}"
        let length = withUnsafeBytes(of: UInt64(header.utf8.count)) { Array($0) }
        let path = try folder.write(length + Array(header.utf8) + bytes, to: "weights.safetensors")
        let parameters = try WeightsFile.read(path, layout: network.parameterLayout, as: Double.self)
        // In our order: weight, bias, running_mean, running_var.
        #expect(parameters.values == [5, 1, 3, 4])
    }

    @Test("every layer with its options passes the schema as well as the parser")
    func schema() throws {
        let cases = try ["random-architectures", "random-graphs"].flatMap { name in
            let bytes = try FileBytes.read(Fixtures.path("reference/\(name).json"))
            return try #require(JSONValue(parsing: bytes).arrayValue)
        }
        #expect(cases.count == 400)
        for architecture in cases {
            let model = try #require(architecture["model"])
            #expect(JSONSchema.model.validate(model).isEmpty, "\(model.serialized())")
        }
        let folder = try TemporaryFolder()
        let text = #"""
            {"format": "rrdata.model", "format_version": "1.0", "input": [4, 2, 2], "classes": 4, "layers": [
             {"batchnorm2d": {"frozen": true}}, {"residual": {"body": ["relu"], "projection": ["tanh"]}},
             {"residual": {"body": ["relu"], "projection": {"groupnorm": {"groups": 2}}}}, "globalavgpool", "flatten"]}
            """#
        #expect(try ModelFile.read(folder.write(Array(text.utf8), to: "model.json")).layers.count == 5)
    }
}
