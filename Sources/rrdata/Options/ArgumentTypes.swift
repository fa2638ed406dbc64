public import ArgumentParser
public import RRDatasets
public import RRExplanation
public import RRTraining

// The types of the library that options take by name.

extension ArrayLayout: ExpressibleByArgument {}
extension Compression: ExpressibleByArgument {}
extension HDF5Import.Marks: ExpressibleByArgument {}
extension OptimizerOptions.Kind: ExpressibleByArgument {}
extension PNGFolderImport.ErrorPolicy: ExpressibleByArgument {}
extension PNGFolderImport.Labels: ExpressibleByArgument {}
extension PenaltyReduction: ExpressibleByArgument {}
extension PenaltyTarget: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

extension Lambda1: ExpressibleByArgument {
    public init?(argument: String) {
        if argument == "auto" {
            self = .automatic
        } else if let value = Double(argument) {
            self = .value(value)
        } else {
            return nil
        }
    }
}
