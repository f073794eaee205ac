package testserver;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.instance.model.api.IBaseOperationOutcome;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.utilities.npm.NpmPackage;

/**
 * HL7's instance validator, offline. Usage: Validate FILE... (FHIR packages .tgz, or .json Bundles of extra definitions);
 * stdin: one resource (JSON) a line; stdout: READY, then one OperationOutcome a line.
 */
public class Validate {
    static FhirInstanceValidator module(FhirContext ctx, List<String> files) throws IOException {
        PrePopulatedValidationSupport defs = new PrePopulatedValidationSupport(ctx);
        for (String file : files) {
            try (InputStream in = new FileInputStream(file)) {
                if (file.endsWith(".json")) {
                    ctx.newJsonParser().parseResource(Bundle.class, in).getEntry()
                        .forEach(e -> defs.addResource(e.getResource()));
                    continue;
                }
                NpmPackage npm = NpmPackage.fromPackage(in);
                for (String name : npm.listResources("StructureDefinition", "ValueSet", "CodeSystem")) {
                    try (InputStream res = npm.load("package", name)) {
                        defs.addResource(ctx.newJsonParser().parseResource(res));
                    }
                }
            }
        }
        UnknownCodeSystemWarningValidationSupport unknown = new UnknownCodeSystemWarningValidationSupport(ctx);
        unknown.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING); // LOINC, SNOMED: not here
        FhirInstanceValidator module = new FhirInstanceValidator(new ValidationSupportChain(
            new DefaultProfileValidationSupport(ctx), defs, new CommonCodeSystemsTerminologyService(ctx),
            new InMemoryTerminologyServerValidationSupport(ctx), new SnapshotGeneratingValidationSupport(ctx), unknown));
        module.setErrorForUnknownProfiles(true);
        return module;
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        FhirContext ctx = FhirContext.forR4();
        FhirValidator validator = ctx.newValidator().registerValidatorModule(module(ctx, List.of(args)));
        validator.validateWithResult("{\"resourceType\":\"Patient\"}"); // warm up
        out.println("READY");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            out.println(ctx.newJsonParser().encodeResourceToString(outcome(validator, line)));
        }
    }

    /** What the validator says; where it breaks over the resource, one fatal issue. */
    static IBaseOperationOutcome outcome(FhirValidator validator, String resource) {
        try {
            return validator.validateWithResult(resource).toOperationOutcome();
        } catch (RuntimeException e) {
            OperationOutcome broken = new OperationOutcome();
            broken.addIssue().setSeverity(OperationOutcome.IssueSeverity.FATAL)
                .setCode(OperationOutcome.IssueType.STRUCTURE).setDiagnostics(e.getClass().getName());
            return broken;
        }
    }
}
