//! Characters that names, places and findings are mostly made of, to tell the national sets apart.
//! Compiled for this project: common surnames, given names and words of radiology.

/// Chinese, in the simplified characters of GB 2312.
pub(super) const CHINESE: &str = "\
王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁\
魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易\
常武乔贺赖龚文欧阳诸葛上官司马慕容令狐端木东西南北伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚\
桂玉华红建国志海晓小梅春云雪莉婷欣怡佳宇浩然子轩梓涵雨泽俊博思远清月若曦婉飞朝大中天成德永生福\
荣贵宝新光辉凤珍琴爱美玲翠香峰鹏斌波宁患者男女医院胸部腹部头颅腰椎颈膝肝肺肾心脏检查平扫增强左右\
侧位正片骨盆脑磁共振放射科室床号年龄岁下前后肿瘤病史手术人民第一二三四五六七八九十市省区县街道路综合";

/// Korean syllables of KS X 1001.
pub(super) const KOREAN: &str = "\
가강건경고공곽구국권기길김나남노다대도동두라란래련로류리림마명모무문미민박배백범병보복봉부빈상서석\
선설섭성세소손송수숙순승시식신심안양어엄여연영예오옥온용우운원유윤은의이인일임자장재전정제조종주준\
중지진차창채천철최추춘충태하학한해향허현형혜호홍화환황회효훈흉휘희검사관절과촬뇌요골척병좌실합환";
