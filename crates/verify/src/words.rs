//! Words that say nothing of a person, though people and places are called so. Compiled for this
//! project from the defined terms of PS3.3 and the everyday words of radiology.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Defined terms, body parts, directions, sequences, colours, months, vendors, and what is written
/// where no name is known. In lower case.
const COMMON: &str = "\
a abd abdomen abdominal above acute adc adult after age air all ami an and angio ankle anon \
anonymized anonymous ant anterior any aorta april arm art arterial artery as at august avanto \
axial back baker ball bank barium base bay be bell below best better bird bishop black bladder \
blank blood blue body bold bone both bowel brain branch breast brook brown bruker burn bush but \
by calf canon can card care carotid case center central centre cervical chance chase chest child \
chin clear clinic clinical coil cold colon cone contrast control cook coronal coronary cotton \
cross crosby cryo cup cut cyst data date day days dec deep delay demo department der derived \
diffusion digital disc do doctor doe done dorsal dose dr dual duct dummy early ear east echo edge \
elbow elder elderly emergency empty end enhanced error even exam external eye face fair false fan \
fat female femur fast feb felt few field fine finger first fish fit flair flash flow fluid focus \
foot for force forearm forest fox frame frank free friday from front frontal fuji full gap gate \
ge general general good gold grant graves gray green grey gross group guest half hall hand hard \
hare hart have head healthy heart heat heel height helical help her high hill hip his hitachi \
hodgkin hole hologic home horn hospital hot house hunt icu image imaging in index infant inferior \
injury inner inpatient institute internal is it ivy jan january jaw joint jul july june junior \
just kidney king knee knight lab label lake lamb landmark large last lat late lateral lateralis \
le lead left leg lemon lens less level life light limb line lip little liver llc load local long \
loss lot love low lower lumbar lumen lung ma mac main male man manual mar march mark mask mass \
matrix max may md mean medial median medical medicine mid middle min mini minor miss mode model \
monday moon more moss most mother motion mouth mpr mr mra mri mrs ms multi na nan narrow nasal \
native neck neo nerve neutral new night nil no noble nodule noise none normal north nose not note \
nov null number nurse oblique object oct of old on one only open or oral orbit original orthanc \
other outer outpatient over pa page pain palm pan parallel parkinson part partial patient paul \
peak pearl pediatric pelvis pelvic penny perfusion pet phantom phase phase philips pin plain plane \
plate point pole pool post posterior power pre primary prior private prof professor prone proton \
public pulse pure qa quick radial radiology rapid rare ray read real recon reed reference region \
renal rest result reverse rib rice rich right ring rock room root rose rotation round routine \
sagittal sample saturday save scan scanner scout screen sea second secondary see senior sept \
series service session set seven shaft sharp short shot shoulder siemens signal single sinus site \
six size skin skull slice slide slim slow small smooth snow soft solid source south space spin \
spine spiral spring stable standard star start state steel stem step stern still stone stop \
storm strain stress strong student study sub subject subtraction sun sunday superior supine \
surface surgery sweet swift system table target temp ten test tester testing the third thorax \
three thumb thursday tibia time tissue to toe tone top toshiba total tract transverse trauma tube \
tuesday tumor two type ulna ultra ultrasound under unit unknown upper us user vale value van \
varian vein venous ventral vertebra vessel view vista voice volume von walk wall ward warm water \
wave web wednesday week weight well west white whole wide will window winter with wolf wood work \
wrist xray iso smr magnetom somatom vida aera sola altea lumina skyra verio espree symphony sonata \
harmony prisma trio allegra biograph definition sensation emotion signa optima discovery \
revolution lightspeed ingenia achieva intera panorama ambition elition brilliance gemini \
aquilion vantage titan orian galan oasis echelon airis year years yellow yes young zero zone";

/// What stands before and behind names.
const TITLES: &str = "\
dr prof professor md phd mba msc bsc rn rt rtr do dds dmd facr frcr mr mrs ms miss mister madam \
herr frau sir dame lord lady jr sr ii iii iv doctor med habil dipl ing univ pd priv doz mme mlle \
sig sra dra don dona fr rev";

/// Chinese and Korean words of two characters that are given names, too.
const COMMON_WIDE: &str = "\
健康 平安 和平 正常 左右 前后 明显 建国 国庆 建设 海洋 文化 春天 阳光 高大 平和 安静 安宁 光明 \
新华 中华 东方 长江 黄河 先生 女士 小姐 医生 患者 病人 医院 胸部 腹部 头部 平扫 增强 检查 \
지수 하나 가을 보라 이상 정상 환자 병원 의사";

static COMMON_WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| COMMON.split_whitespace().chain(COMMON_WIDE.split_whitespace()).collect());
static TITLE_WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| TITLES.split_whitespace().collect());

/// Whether a word, in lower case, is one that any output may hold.
pub(crate) fn is_common(word: &str) -> bool {
    COMMON_WORDS.contains(word) || is_title(word)
}

/// Whether a word, in lower case, is a title or a degree.
pub(crate) fn is_title(word: &str) -> bool {
    TITLE_WORDS.contains(word)
}

/// Whether a text has no word but common ones, single letters and numbers.
pub(crate) fn all_common(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).all(|word| {
        word.chars().count() < 2
            || word.bytes().all(|b| b.is_ascii_digit())
            || is_common(&word.to_lowercase())
    })
}
